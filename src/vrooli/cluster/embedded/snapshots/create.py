"""Makes a copy of a cluster at one moment: a snapshot, or the data of a fork."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from vrooli.cluster.embedded.host import freezer
from vrooli.cluster.embedded.host.suspension import SHORTEST_S, Pause
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import pause
from vrooli.cluster.embedded.locks import holder
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.snapshots import copying, store
from vrooli.cluster.embedded.snapshots.store import Snapshot
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.grammar import format_bytes
from vrooli.process import run

# Timeout of writing a copy to a slow disk, seconds.
SYNC_S = 600.0


async def create(layout: Layout, name: str, progress: Progress) -> Snapshot:
    """Make a snapshot; a running cluster is frozen while its databases and volumes are copied.

    Raises:
        UsageError: The name is invalid, or a snapshot has it.
        PrerequisiteError: There is no such cluster, or not enough space.
    """
    store.require_new_name(layout, name)
    place = store.create_folder(layout)
    part = place / store.PART
    await store.remove(part)
    try:
        created, frozen_s = await copy_moment(layout, part, progress)
        size = await copying.size_bytes(copying.data_folders(part))
        snapshot = Snapshot(name, layout.name, created, size, round(frozen_s, 1))
        store.write(part, snapshot)
        part.rename(place / name)
    except BaseException:
        await store.remove(part)
        raise
    return snapshot


async def copy_moment(layout: Layout, target: Path, progress: Progress) -> tuple[float, float]:
    """Copy the data of a cluster, all of one moment, into a new folder.

    Returns:
        The moment, seconds since the epoch, and how long the cluster was frozen, seconds.

    Raises:
        PrerequisiteError: There is no such cluster, or not enough space.
    """
    record = Record.read(layout.record)
    if record is None or not layout.containerd.exists():
        raise PrerequisiteError(
            f"There is no cluster {layout.name}, or it was never started.",
            f"Start it: `vrooli cluster start {layout.name}`.",
        )
    needed = await copying.size_bytes(copying.data_folders(layout.root))
    store.require_space(target.parent, needed, "The copy")
    target.mkdir(mode=0o700)
    progress.report("Linking its images")
    containerd = target / layout.containerd.name
    await copying.link_images(layout.containerd, containerd, copying.writable_layers(layout))
    progress.report(f"Copying {format_bytes(needed)} of objects and volumes")
    async with frozen(layout) as began:
        moment = time.time()
        # Layers that have come since.
        await copying.link_images(layout.containerd, containerd, copying.writable_layers(layout))
        await copying.copy_databases(layout.containerd, containerd)
        await copying.copy([*copying.data_folders(layout.root), layout.record], target)
        frozen_s = time.monotonic() - began if began else 0.0
    if record.durable:
        progress.report("Writing the copy to the disk")
        await run(["sync", "--file-system", target], timeout_s=SYNC_S)
    return moment, frozen_s


@contextlib.asynccontextmanager
async def frozen(layout: Layout) -> AsyncIterator[float]:
    """Freeze a running cluster; yields the time of the monotonic clock, or 0 if nothing runs.

    A cluster whose command is killed meanwhile stays frozen: it is paused, and can be resumed.
    """
    if holder(layout.supervisor_lock) is None or freezer.is_frozen(layout.identity):
        yield 0.0
        return
    freezing = freezer.demand(layout.identity)
    Pause(time.time()).write(layout.pause)
    began = time.monotonic()
    await freezing.freeze()
    try:
        yield began
    finally:
        try:
            if time.monotonic() - began >= SHORTEST_S:
                pause.restart_heartbeat_monitor(layout)
        finally:
            freezing.thaw()
