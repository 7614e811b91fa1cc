"""The programs on this machine: required ones and optional ones."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding

NAME = "tools"
OLDEST_PYTHON = (3, 11)
# Required packages; the first one contains the Helm engine.
PACKAGES = ("helm-python-sdk", "kr8s", "hvac")
# The programs that each kind of cluster requires.
PROGRAMS = {"minikube": ("minikube", "kubectl"), "kind": ("kind",), "context": ("kubectl",)}
# Programs that are reported but not required.
OPTIONAL = ("helm", "kubectl")


async def run(site: Site) -> CheckResult:
    """Report the installed tools."""
    packages = {name: _version(name) for name in PACKAGES}
    programs = {name: shutil.which(name) or "" for name in PROGRAMS.get(site.kind, ())}
    return judge(sys.version_info[:2], packages, programs, _optional_programs())


def judge(
    python: tuple[int, ...], packages: dict[str, str], programs: dict[str, str], optional: str
) -> CheckResult:
    """The missing tools; the version or path of a missing one is empty."""
    findings = []
    if python < OLDEST_PYTHON:
        message = f"its version is {'.'.join(map(str, python))}; 3.11 or later is required."
        findings.append(
            Finding(NAME, "Python", message, "Install a newer version.", "python3 --version")
        )
    for name in (name for name, number in packages.items() if not number):
        remedy = "Recreate the virtual environment."
        findings.append(Finding(NAME, name, "it is not installed.", remedy, "rm -r .venv"))
    for name in (name for name, path in programs.items() if not path):
        message = "it is not on PATH, and this kind of cluster requires it."
        findings.append(Finding(NAME, name, message, "Install it.", f"{name} version"))
    installed = ", ".join(f"{name} {number}" for name, number in packages.items() if number)
    return CheckResult(
        f"Python {platform.python_version()}, {installed}; {optional}", tuple(findings)
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _optional_programs() -> str:
    """The optional programs on PATH, as text."""
    programs = [f"{name} at {path}" for name in OPTIONAL if (path := shutil.which(name))]
    return f"on PATH: {', '.join(programs) or 'no helm, no kubectl'} (not needed)"


CHECK = Check(
    NAME,
    "Tools",
    "Python with the Helm engine and the clients for Kubernetes and Vault, and the program of the "
    "cluster kind; helm and kubectl on PATH are reported but not required",
    run,
)
