"""The cgroup of all processes of a cluster, so that none of them can outlive the cluster.

It has two children: ``control`` for the components, and ``pods`` for the containers, which the
kubelet creates according to its cgroup root setting.
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
# Optional controllers of cgroup v2, which the kubelet and runc use if the kernel has them.
USED_V2 = NEEDED_V2 | {"hugetlb", "io"}
# Timeout for killed processes to end, seconds; on an overloaded machine each waits for CPU time.
KILL_S = 60.0
PAUSE_S = 0.05
# The files that thaw a cgroup, in v1 (freezer-subsystem.rst) and v2 (cgroup-v2.rst) of the
# kernel's documentation.
THAW_FILES = {"freezer.state": "THAWED", "cgroup.freeze": "0"}


def hierarchies(host: Host) -> list[Path]:
    """The mount points of all hierarchies with a container's processes."""
    points = {*host.v1.values(), *([host.v2] if host.v2 else [])}
    return sorted(points)


def create(host: Host, name: str) -> None:
    """Create the cluster's cgroups in every hierarchy.

    Raises:
        PrerequisiteError: The host does not permit it.
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
            f"The cgroup {name} can't be created: {error}",
            "In a container, use a separate cgroup namespace whose root contains no processes, "
            "or start it privileged.",
        ) from error


def join(host: Host, name: str) -> None:
    """Move this process and its future children to the components' cgroup."""
    for point in hierarchies(host):
        (point / name / CONTROL / "cgroup.procs").write_text(str(os.getpid()))


def members(host: Host, name: str, child: str = "") -> set[int]:
    """The processes in the cluster's cgroup and below it, in any hierarchy."""
    processes: set[int] = set()
    for point in hierarchies(host):
        for folder in _tree(point / name / child):
            # A cgroup may disappear meanwhile; a threaded one cannot be listed.
            with contextlib.suppress(OSError):
                processes.update(
                    int(word) for word in (folder / "cgroup.procs").read_text().split()
                )
    return processes - {0}


async def kill(host: Host, name: str) -> set[int]:
    """Kill all processes in the cluster's cgroup until none remains.

    Frozen processes do not end before they are thawed. Each attempt thaws them first, since
    another program may freeze them again.

    Returns:
        The killed processes.

    Raises:
        VrooliError: Some processes do not end.
    """
    killed: set[int] = set()
    deadline = asyncio.get_running_loop().time() + KILL_S
    while remaining := members(host, name):
        if asyncio.get_running_loop().time() > deadline:
            raise VrooliError(
                f"The processes {sorted(remaining)} of {name} do not end.",
                "They may be waiting for a disk. Inspect them with ps, then run the command again.",
            )
        thaw(host, name)
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= remaining
        await asyncio.sleep(PAUSE_S)
    return killed


def thaw(host: Host, name: str) -> None:
    """Thaw the cluster's cgroup: in v1, even killed processes stay frozen.

    Parents come first: a cgroup with a frozen parent stays frozen.
    """
    for point in hierarchies(host):
        for folder in _tree(point / name):
            for file, word in THAW_FILES.items():
                # A hierarchy has at most one of the files, and a cgroup may disappear meanwhile.
                # Open without creating: in an ordinary folder, that would create a file.
                with contextlib.suppress(OSError), (folder / file).open("r+") as control:
                    control.write(word)


async def remove(host: Host, name: str) -> None:
    """Remove the cluster's cgroups, which must be empty; retries, since the kernel may be slow."""
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
    """The cgroup and its descendants, parents first; each of them may disappear meanwhile.

    Path.glob is unsuitable: it raises if a folder disappears during the search.
    """
    return [Path(folder) for folder, _, _ in os.walk(root)]


def _inherit_cpuset(folder: Path) -> None:
    """Initialize a cpuset of cgroup v1: a new one is empty and accepts no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own, above = folder / name, folder.parent / name
        if "cpuset" in folder.parts and own.exists() and not own.read_text().strip():
            own.write_text(above.read_text())


def _enable(folder: Path, controllers: frozenset[str]) -> None:
    control = " ".join(f"+{controller}" for controller in sorted(controllers))
    (folder / "cgroup.subtree_control").write_text(control)
