"""The programs on this machine: those that the product needs, and those of people."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding

NAME = "tools"
OLDEST_PYTHON = (3, 11)
# Packages that the product stands on; Helm's engine is in the first.
PACKAGES = ("helm-python-sdk", "kr8s", "hvac")
# What a kind of cluster is reached with.
PROGRAMS = {"minikube": ("minikube", "kubectl"), "kind": ("kind",), "context": ("kubectl",)}
# What people use beside the product, which needs none of them.
PEOPLES = ("helm", "kubectl")


async def run(site: Site) -> CheckResult:
    """What is there."""
    packages = {name: _version(name) for name in PACKAGES}
    programs = {name: shutil.which(name) or "" for name in PROGRAMS.get(site.kind, ())}
    return judge(sys.version_info[:2], packages, programs, _peoples())


def judge(
    python: tuple[int, ...], packages: dict[str, str], programs: dict[str, str], peoples: str
) -> CheckResult:
    """What is missing of what is needed; versions and paths are empty where there is nothing."""
    findings = []
    if python < OLDEST_PYTHON:
        message = f"it is {'.'.join(map(str, python))}, and 3.11 or newer is needed."
        findings.append(
            Finding(NAME, "Python", message, "Install a newer one.", "python3 --version")
        )
    for name in (name for name, number in packages.items() if not number):
        remedy = "Make the environment anew."
        findings.append(Finding(NAME, name, "it isn't installed.", remedy, "rm -r .venv"))
    for name in (name for name, path in programs.items() if not path):
        message = "it isn't on PATH, and this kind of cluster is reached with it."
        findings.append(Finding(NAME, name, message, "Install it.", f"{name} version"))
    installed = ", ".join(f"{name} {number}" for name, number in packages.items() if number)
    return CheckResult(
        f"Python {platform.python_version()}, {installed}; {peoples}", tuple(findings)
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _peoples() -> str:
    """Programs that people use and that nothing here needs."""
    programs = [f"{name} at {path}" for name in PEOPLES if (path := shutil.which(name))]
    return f"on PATH: {', '.join(programs) or 'no helm, no kubectl'} (not needed)"


CHECK = Check(
    NAME,
    "Tools",
    "Python with the Helm engine and the clients for Kubernetes and Vault, and the program of the "
    "cluster kind; helm and kubectl on PATH are reported but not required",
    run,
)
