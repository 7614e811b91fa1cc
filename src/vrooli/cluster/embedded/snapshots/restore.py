"""Replaces the data of a cluster by those of a snapshot, at once, and back if that fails.

Everything is copied before the cluster is stopped. Then one call of the kernel exchanges both
folders: whoever is killed at any moment leaves either the former cluster or the restored one.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from vrooli.cluster.embedded.host import foreign_processes
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import cleanup
from vrooli.cluster.embedded.snapshots import copying, store
from vrooli.events import Progress
from vrooli.grammar import format_bytes
from vrooli.steps import Done

# renameat2(2), linux/fs.h and fcntl.h.
RENAME_EXCHANGE, AT_FDCWD = 2, -100


async def restore(layout: Layout, name: str, progress: Progress) -> Done:
    """Replace the data by a snapshot's. The cluster is stopped, and its former data are kept.

    Raises:
        UsageError: There is no such snapshot.
        PrerequisiteError: There is not enough space, or another process uses the cluster's files.
    """
    snapshot = store.find(layout, name)
    place = store.create_folder(layout)
    new, former = place / store.NEW, place / store.FORMER
    await store.remove(new)
    await store.remove(former)
    store.require_space(place, snapshot.size_bytes, "The restored cluster")
    progress.report(f"Copying {format_bytes(snapshot.size_bytes)} of objects and volumes")
    try:
        await copy_snapshot(place / name, new)
        # The ports and programs stay those of now.
        await copying.copy([layout.record, layout.kubeconfig], new)
        progress.report("Stopping the cluster")
        await cleanup.clear(layout, probe(layout.root))
        foreign_processes.refuse_foreign_processes(layout)
        exchange(new, layout.root)
    except BaseException:
        await store.remove(new)
        raise
    new.rename(former)
    _move_logs(former, layout.root)
    return Done(True, f"{layout.name} is as it was at {snapshot.created_at:%Y-%m-%d %H:%M:%S} UTC")


async def copy_snapshot(source: Path, target: Path) -> None:
    """Copy the data of a snapshot into a new folder."""
    target.mkdir(mode=0o700)
    containerd = source / "containerd"
    await copying.link_images(containerd, target / "containerd", set())
    await copying.copy_databases(containerd, target / "containerd")
    await copying.copy(copying.data_folders(source), target)


async def finish(layout: Layout) -> None:
    """Remove the former data after a successful restore."""
    await store.remove(store.folder(layout) / store.FORMER)


async def undo(layout: Layout) -> None:
    """Bring the former data back; the cluster is stopped."""
    former = store.folder(layout) / store.FORMER
    await cleanup.clear(layout, probe(layout.root))
    exchange(former, layout.root)
    _move_logs(former, layout.root)
    await store.remove(former)


def exchange(first: Path, second: Path) -> None:
    """Exchange two folders of one file system atomically.

    Raises:
        OSError: The kernel or the file system cannot.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    if libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(first), None, str(second))


def _move_logs(source: Path, target: Path) -> None:
    """Move the logs: they describe the present, not the moment of a snapshot."""
    if (source / "logs").exists() and not (target / "logs").exists():
        (source / "logs").rename(target / "logs")
