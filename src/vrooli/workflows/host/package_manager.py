"""Installs the distribution's packages with the programs of the cluster and the image builds."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from vrooli import process, project
from vrooli.errors import CommandError, PrerequisiteError
from vrooli.events import Progress
from vrooli.process import Completed
from vrooli.steps import Done

# Debian's packages, and what is used of each: a program, or a file.
PACKAGES: Mapping[str, str] = {
    "buildah": "buildah",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "conntrack": "conntrack",
    "ipset": "ipset",
    "iproute2": "ip",
    "iptables": "iptables",
    "kmod": "modprobe",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nftables": "nft",
    "util-linux": "nsenter",
}
# The packages for a build of programs with C code, of which runc is the only one.
COMPILER: Mapping[str, str] = {
    "gcc": "gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "libseccomp-dev": "/usr/include/seccomp.h",
    "pkg-config": "pkg-config",
}
# Timeout of apt, which downloads lists and packages from possibly slow mirrors, seconds.
APT_S = 900.0
# Timeout of waiting for other installations, such as the first updates of a new machine, seconds.
OTHERS_S, OTHERS_PAUSE_S = 600.0, 2.0
# The errors of dpkg and apt if another process holds their lock. Only `apt-get install` can wait.
LOCKED = ("Could not get lock", "locked by another process")


async def ensure_packages(progress: Progress, packages: Mapping[str, str] = PACKAGES) -> Done:
    """Install the missing packages; removes none.

    A program that exists is used, regardless of where it came from.

    Raises:
        PrerequisiteError: Packages are missing, and this is not Linux, not Debian, or not root.
        CommandError: apt failed.
    """
    if sys.platform != "linux":
        raise PrerequisiteError(
            f"Packages are installed on Linux only, and this is {sys.platform}.",
            "The embedded cluster needs Linux. With docker or podman here, another can be used: "
            "`--cluster minikube` or `--cluster kind`.",
        )
    missing = [package for package, brings in packages.items() if not _is_installed(brings)]
    if not missing:
        return Done(changed=False, detail=f"all {len(packages)} are installed")
    _demand_apt(missing, packages)
    await _install(missing, progress)
    return Done(changed=True, detail=f"installed {', '.join(missing)}")


def _is_installed(brings: str) -> bool:
    if brings.startswith("/"):
        return Path(brings).exists()
    path = f"{os.environ.get('PATH', '')}:{project.SYSTEM_PATH}"
    return shutil.which(brings, path=path) is not None


def _demand_apt(missing: list[str], packages: Mapping[str, str]) -> None:
    programs = ", ".join(packages[package] for package in missing)
    if shutil.which("apt-get") is None:
        raise PrerequisiteError(
            f"This host has no {programs}, and no apt-get to install them.",
            "Install them with the package manager of this distribution.",
        )
    if os.geteuid() != 0:
        raise PrerequisiteError(
            f"This host has no {programs}, and only root can install them.",
            f"Run as root: apt-get install {' '.join(missing)}",
        )


async def _install(packages: list[str], progress: Progress) -> None:
    settings = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    # Its status lines contain the percentage.
    common = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Status-Fd=2", "-qq"]
    install = [*common, "install", "--yes", "--no-install-recommends", "--no-remove", *packages]

    def run(argv: list[str]) -> Coroutine[Any, Any, Completed]:
        return process.run(
            argv, env=settings, timeout_s=APT_S, on_line=lambda line: _report(line, progress)
        )

    # First complete an installation that was interrupted, for example by a power failure.
    await _when_free(lambda: _to_its_end(run(["dpkg", "--configure", "-a"])), progress)
    progress.report("reading the package lists")
    await _when_free(lambda: run([*common, "update"]), progress)
    progress.report(f"installing {', '.join(packages)}")
    await _when_free(lambda: _to_its_end(run(install)), progress)


async def _when_free(start: Callable[[], Coroutine[Any, Any, object]], progress: Progress) -> None:
    """Run dpkg or apt; retries while another installation holds its lock."""
    deadline = time.monotonic() + OTHERS_S
    while True:
        try:
            await start()
        except CommandError as error:
            output = error.output
            locked = any(words in output for words in LOCKED)
            if not locked or time.monotonic() > deadline:
                raise
        else:
            return
        progress.report(f"waiting for another installation on this host{_holder(output)}")
        await asyncio.sleep(OTHERS_PAUSE_S)


def _holder(output: str) -> str:
    """The process that holds the lock, as dpkg or apt names it; empty if they do not."""
    match = re.search(r"(?:held by process|with pid) (\d+)(?: \(([^)]+)\))?", output)
    return f": {match[2] or 'a program'}, process {match[1]}" if match else ""


async def _to_its_end(work: Coroutine[Any, Any, Completed]) -> None:
    """Wait for work that must not be interrupted, even if this run is cancelled."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _report(line: str, progress: Progress) -> None:
    """Report a status line: kind:package:percent:description."""
    kind, _, rest = line.partition(":")
    if kind in ("dlstatus", "pmstatus"):
        _, percent, message = (*rest.split(":", 2), "", "")[:3]
        progress.report(f"{message} ({percent.partition('.')[0]} %)")
