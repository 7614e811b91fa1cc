"""Removes what a cluster created outside its folder, and the folder itself."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import Host
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network import namespace
from vrooli.cluster.embedded.supervisor.daemon import PRIVATE_FOLDERS
from vrooli.errors import PrerequisiteError
from vrooli.process import run

# Timeout of deleting a cluster's images on a slow disk, seconds.
REMOVE_S = 600.0


async def clear(layout: Layout, host: Host) -> int:
    """Remove everything but the data; works without the cluster's record.

    With the last process, the kernel takes the cluster's mounts and network namespace.

    Returns:
        How many processes had to be killed.
    """
    killed = await cgroups.kill(host, layout.identity)
    await namespace.disconnect(layout)
    await cgroups.remove(host, layout.identity)
    if layout.run.exists():
        shutil.rmtree(layout.run)
    _remove_private_folders()
    return len(killed)


async def delete_data(layout: Layout) -> None:
    """Remove the cluster's folder.

    Raises:
        PrerequisiteError: Something is mounted there; its content would be lost.
    """
    mounted = mounts_below(layout.root, Path("/proc/self/mountinfo").read_text())
    if mounted:
        raise PrerequisiteError(
            f"{mounted[0]} is mounted inside the cluster's folder, and isn't the cluster's.",
            f"Unmount it (`umount {mounted[0]}`), then delete the cluster again.",
        )
    # Images are many small files: rm is much quicker than Python.
    await run(["rm", "-rf", "--one-file-system", layout.root], timeout_s=REMOVE_S)


def mounts_below(folder: Path, mountinfo: str) -> list[Path]:
    """The mount points at and below a folder, in the text of /proc/<pid>/mountinfo."""
    points = [Path(line.split()[4]) for line in mountinfo.splitlines()]
    return [point for point in points if point.is_relative_to(folder)]


def _remove_private_folders() -> None:
    """Remove the empty mount points of clusters if no cluster uses them.

    Removing one would also undo the mount over it in another cluster.
    """
    for listing in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # the process just ended
            if f" {PRIVATE_FOLDERS[0]} " in listing.read_text():
                return
    for folder in PRIVATE_FOLDERS:
        with contextlib.suppress(OSError):  # it isn't empty: somebody else's, too
            Path(folder).rmdir()
