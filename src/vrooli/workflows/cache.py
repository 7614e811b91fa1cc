"""The caches of this machine: what they contain, and what is removed from them.

Everything in them can be recreated. Nothing that a cluster or a process uses is removed.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from vrooli import project
from vrooli.cluster.embedded.cluster import list_clusters
from vrooli.cluster.embedded.images import templates
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener, Progress
from vrooli.grammar import counted, format_bytes
from vrooli.images import records
from vrooli.images.builders.detection import detect
from vrooli.images.builds import pruning
from vrooli.locks import open_private, try_lock
from vrooli.process import run
from vrooli.programs import build_caches, golang, unused
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.results.caches import CacheKind, CacheResult, CacheView

# Timeout of measuring a folder on a slow disk, seconds.
MEASURE_S = 300.0
TITLES = {
    CacheKind.BUILD: "Go modules and build caches",
    CacheKind.PROGRAMS: "Programs of this version",
    CacheKind.OLD_PROGRAMS: "Programs of other versions",
    CacheKind.IMAGES: "Built images and their layers",
    CacheKind.ARCHIVES: "Archives of images for clusters",
    CacheKind.UNPACKED: "Unpacked images of new clusters",
    CacheKind.OTHER: "Python packages and records",
}
BUSY = "another run uses it; run the command again when it has ended"


async def show(listener: Listener) -> CacheResult:
    """What the caches contain, by kind."""
    del listener  # nothing is reported
    return await _measured(0)


async def clean(listener: Listener, *, all_kinds: bool) -> CacheResult:
    """Remove what is not needed to run; with ``all_kinds``, also what makes the next run faster.

    Raises:
        CommandError: The builder failed.
    """
    before = await _measured(0)
    works: dict[CacheKind, Callable[[Progress], Awaitable[Done]]] = {
        CacheKind.BUILD: _clear_build_caches,
        CacheKind.OLD_PROGRAMS: _remove_old_programs,
        CacheKind.IMAGES: _prune_images,
    }
    if all_kinds:
        works |= {CacheKind.ARCHIVES: _remove_archives, CacheKind.UNPACKED: _remove_templates}
    # One after the other: each is limited by the disk.
    names = list(works)
    steps = [
        Step(kind.value, TITLES[kind], works[kind], tuple(names[:position][-1:]))
        for position, kind in enumerate(names)
    ]
    await run_steps(steps, listener)
    after = await _measured(0)
    return after.model_copy(
        update={"freed_bytes": max(0, before.total_bytes - after.total_bytes), "changed": True}
    )


def folders(kind: CacheKind) -> list[Path]:
    """The folders and files of a kind."""
    cache = project.cache_dir()
    old = unused.find_unused(_programs_of_clusters())
    images, archives = records.folder(), records.folder() / "archives"
    named = {
        CacheKind.BUILD: [golang.caches()],
        CacheKind.OLD_PROGRAMS: old,
        CacheKind.PROGRAMS: [item for item in _inside(cache / "programs") if item not in old],
        CacheKind.IMAGES: [item for item in _inside(images) if item != archives],
        CacheKind.ARCHIVES: [archives],
        CacheKind.UNPACKED: [templates.folder()],
    }
    if kind is not CacheKind.OTHER:
        return named[kind]
    roots = {golang.caches(), cache / "programs", images, templates.folder()}
    return [item for item in _inside(cache) if item not in roots]


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _programs_of_clusters() -> set[Path]:
    """The programs that clusters of this user run, or will run at their next start."""
    clusters = list_clusters(project.state_dir())
    return {program for cluster in clusters for program in cluster.programs()}


async def _measured(freed_bytes: int) -> CacheResult:
    sizes = {kind: await _size(folders(kind)) for kind in CacheKind}
    views = tuple(
        CacheView(kind=kind, title=TITLES[kind], size_bytes=size) for kind, size in sizes.items()
    )
    cache = project.cache_dir()
    return CacheResult(
        changed=False,
        path=str(cache),
        caches=views,
        total_bytes=sum(sizes.values()),
        freed_bytes=freed_bytes,
        free_bytes=shutil.disk_usage(cache if cache.exists() else cache.parent).free,
    )


async def _size(paths: list[Path]) -> int:
    """The space that paths take on the disk, bytes; a file that disappears meanwhile is omitted."""
    existing = [path for path in paths if path.exists()]
    if not existing:
        return 0
    listing = await run(["du", "-s", "-c", "-B1", *existing], timeout_s=MEASURE_S, check=False)
    return int(listing.output.splitlines()[-1].split()[0])


async def _clear_build_caches(progress: Progress) -> Done:
    del progress
    if not golang.caches().exists():
        return Done(False, "there are none")
    if not await build_caches.delete():
        return Done(False, BUSY)
    return Done(True, "removed; the next change of a version builds with new ones")


async def _remove_old_programs(progress: Progress) -> Done:
    del progress
    old = unused.find_unused(_programs_of_clusters())
    removed = [path for path in old if await asyncio.to_thread(unused.remove, path)]
    return Done(bool(removed), f"{counted(len(removed), 'folder')} removed")


async def _prune_images(progress: Progress) -> Done:
    """Remove images without a name, and builds that were not used for long."""
    del progress
    try:
        builder = await detect()
    except PrerequisiteError:
        return Done(False, "this machine has no image builder")
    with open_private(records.folder() / "building.lock") as file:
        if not try_lock(file):
            return Done(False, BUSY)
        before = await _size(folders(CacheKind.IMAGES))
        await pruning.prune_store(builder, time.time())
        freed = before - await _size(folders(CacheKind.IMAGES))
    return Done(
        freed > 0, f"{format_bytes(max(0, freed))} of images without a name or of old builds"
    )


async def _remove_archives(progress: Progress) -> Done:
    del progress
    folder = records.folder() / "archives"
    with open_private(records.folder() / "building.lock") as file:
        if not try_lock(file):
            return Done(False, BUSY)
        if not _inside(folder):
            return Done(False, "there are none")
        await asyncio.to_thread(shutil.rmtree, folder)
    return Done(True, "removed; the next start of a cluster packs its images again")


async def _remove_templates(progress: Progress) -> Done:
    del progress
    if not await templates.remove_all():
        return Done(False, "there are none")
    return Done(True, "removed; the next new cluster unpacks its images again")
