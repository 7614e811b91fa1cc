"""The cgroup that holds every process of a cluster, so that none can be lost or left behind.

It has two children: ``control`` for the components, ``pods`` (made by the kubelet's root setting)
for the containers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from vrooli.cluster.embedded.host.inspection import NEEDED_V2, Host
from vrooli.errors import PrerequisiteError, VrooliError

CONTROL, PODS = "control", "pods"
# Where the kernel has more than is needed of cgroup v2, the kubelet and runc want these, too.
USED_V2 = NEEDED_V2 | {"hugetlb", "io"}
# How long killed processes may take to vanish, seconds; on a starved machine each needs its turn.
KILL_S = 60.0
PAUSE_S = 0.05
# What lets a frozen cgroup go on: v1's freezer (freezer-subsystem.rst) and v2's (cgroup-v2.rst) in
# the kernel's documentation.
THAW_FILES = {"freezer.state": "THAWED", "cgroup.freeze": "0"}


def hierarchies(host: Host) -> list[Path]:
    """The mount points of all hierarchies that a container's processes appear in."""
    points = {*host.v1.values(), *([host.v2] if host.v2 else [])}
    return sorted(points)


def create(host: Host, name: str) -> None:
    """Make the cluster's cgroups in every hierarchy.

    Raises:
        PrerequisiteError: The host doesn't let us.
    """
    try:
        for point in hierarchies(host):
            for child in (point / name, point / name / CONTROL, point / name / PODS):
                child.mkdir(exist_ok=True)
                _inherit_cpuset(child)
        if not host.cgroup_v1 and host.v2:
            for parent in (host.v2, host.v2 / name):
                _enable(parent, host.v2_controllers & USED_V2)
    except OSError as error:
        raise PrerequisiteError(
            f"The cgroup {name} can't be made: {error}",
            "In a container, give it a cgroup namespace of its own whose root holds no processes, "
            "or start it privileged.",
        ) from error


def join(host: Host, name: str) -> None:
    """Move this process, and so its children, into the components' cgroup."""
    for point in hierarchies(host):
        (point / name / CONTROL / "cgroup.procs").write_text(str(os.getpid()))


def members(host: Host, name: str, child: str = "") -> set[int]:
    """The processes in the cluster's cgroup and below it, in any hierarchy."""
    processes: set[int] = set()
    for point in hierarchies(host):
        for folder in _tree(point / name / child):
            # A cgroup may vanish while we look; a threaded one refuses to list.
            with contextlib.suppress(OSError):
                processes.update(
                    int(word) for word in (folder / "cgroup.procs").read_text().split()
                )
    return processes - {0}


async def kill(host: Host, name: str) -> set[int]:
    """Kill whatever is in the cluster's cgroup, until nothing is.

    What is frozen doesn't end before it is thawed, so that comes first, and again each time:
    whoever froze it may still be at work.

    Returns:
        The processes that were killed.

    Raises:
        VrooliError: Some don't end.
    """
    killed: set[int] = set()
    deadline = asyncio.get_running_loop().time() + KILL_S
    while remaining := members(host, name):
        if asyncio.get_running_loop().time() > deadline:
            raise VrooliError(
                f"The processes {sorted(remaining)} of {name} don't end.",
                "They may wait for a disk; look at them with ps, then run the command again.",
            )
        thaw(host, name)
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= remaining
        await asyncio.sleep(PAUSE_S)
    return killed


def thaw(host: Host, name: str) -> None:
    """Let everything in the cluster's cgroup go on: v1 keeps even killed processes frozen.

    From the top: a cgroup whose parent is frozen stays so.
    """
    for point in hierarchies(host):
        for folder in _tree(point / name):
            for file, word in THAW_FILES.items():
                # A hierarchy has one of the files or none, and a cgroup may vanish while we look.
                # Opened without creating: in a plain folder, a file would be left.
                with contextlib.suppress(OSError), (folder / file).open("r+") as control:
                    control.write(word)


async def remove(host: Host, name: str) -> None:
    """Remove the cluster's cgroups, which must be empty; the kernel may take a moment."""
    deadline = asyncio.get_running_loop().time() + KILL_S
    while remaining := [point / name for point in hierarchies(host) if (point / name).exists()]:
        if asyncio.get_running_loop().time() > deadline:
            raise VrooliError(
                f"The cgroup {remaining[0]} can't be removed.", "Run the command again."
            )
        for root in remaining:
            _remove_tree(root)
        if any(root.exists() for root in remaining):
            await asyncio.sleep(PAUSE_S)


def _remove_tree(root: Path) -> None:
    for folder in reversed(_tree(root)):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _tree(root: Path) -> list[Path]:
    """The cgroup and those below it, each after its parent; any may vanish while we look.

    Not Path.glob, which raises when a folder vanishes between being found and being read.
    """
    return [Path(folder) for folder, _, _ in os.walk(root)]


def _inherit_cpuset(folder: Path) -> None:
    """A new cpuset of cgroup v1 is empty, and takes no process until it is filled."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own, above = folder / name, folder.parent / name
        if "cpuset" in folder.parts and own.exists() and not own.read_text().strip():
            own.write_text(above.read_text())


def _enable(folder: Path, controllers: frozenset[str]) -> None:
    control = " ".join(f"+{controller}" for controller in sorted(controllers))
    (folder / "cgroup.subtree_control").write_text(control)
