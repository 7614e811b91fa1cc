"""The cache of programs: one folder per group, created atomically."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Iterable
from pathlib import Path

from vrooli import disk, project
from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.locks import locked
from vrooli.programs import build_caches, download, golang, integrity
from vrooli.programs.catalog import GROUPS
from vrooli.programs.model import Group
from vrooli.steps import first_error

# The downloads are for this architecture only; on others, everything is built.
DOWNLOAD_ARCHITECTURE = "x86_64"
# The disk space that the Go caches and the programs need during a full build, bytes.
REQUIRED_DISK_BYTES = 14 * 1024**3


def group_of(program: str) -> Group:
    """The group that holds a program.

    Raises:
        UsageError: There is no such program.
    """
    for group in GROUPS:
        if program in group.packages:
            return group
    raise UsageError(f"There is no program {program!r} in the catalog.")


def folder(group: Group) -> Path:
    """The folder of a group's programs; it exists once they are complete."""
    return project.cache_dir() / "programs" / f"{group.name}-{group.key()}"


async def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
    """The programs' paths; programs that are not in the cache are downloaded or built first.

    Raises:
        UsageError: An unknown name.
        PrerequisiteError: Too little disk space, no Go, a module that cannot be downloaded, or a
            program that was changed or that other users can change.
        CommandError: A build failed.
    """
    group_by_program = {name: group_of(name) for name in names}
    groups = {group.name: group for group in group_by_program.values()}
    await _ensure_groups(groups.values(), progress)
    for group in groups.values():
        used = [name for name, own in group_by_program.items() if own is group]
        await asyncio.to_thread(integrity.verify, folder(group), used)
    return {name: folder(group) / name for name, group in group_by_program.items()}


async def _ensure_groups(groups: Iterable[Group], progress: Progress) -> None:
    slots = asyncio.Semaphore(golang.BUILDS_AT_ONCE)
    absent = [group for group in groups if not folder(group).exists()]
    # The longest builds first, so that short ones use the idle cores while the last one links.
    absent.sort(key=lambda group: -group.build_s)
    if absent:
        disk.require_space(project.cache_dir(), REQUIRED_DISK_BYTES, "building the programs needs")
    remaining = _Remaining(absent, progress)
    async with build_caches.kept(), asyncio.TaskGroup() as tasks:
        for group in absent:
            tasks.create_task(_provide(group, slots, remaining.of(group)))


def find_missing_groups(names: Iterable[str]) -> list[str]:
    """The groups of those programs that are not in the cache, by name."""
    groups = {group_of(name).name: group_of(name) for name in names}
    return [name for name, group in groups.items() if not folder(group).exists()]


async def need_compiler(names: Iterable[str]) -> bool:
    """Whether providing those programs needs a C compiler on this host."""
    groups = {group_of(name).name: group_of(name) for name in names}.values()
    to_provide = [group for group in groups if group.cgo and not folder(group).exists()]
    return any([not await _is_downloadable(group, Progress()) for group in to_provide])


async def module_dir(name: str, progress: Progress) -> Path:
    """The source folder of a group's Go module, for its CRDs and charts."""
    group = next((group for group in GROUPS if group.name == name), None)
    if group is None or not group.needs_source:
        raise UsageError(f"The source of {name!r} is not in the cache.")
    await _ensure_groups([group], progress)
    await asyncio.to_thread(integrity.verify, folder(group), group.packages)
    return folder(group) / "source"


class _Remaining:
    """Sums the remaining times of the groups into one estimate."""

    def __init__(self, groups: list[Group], progress: Progress) -> None:
        self._remaining_s = {group.name: group.build_s for group in groups}
        self._progress = progress

    def of(self, group: Group) -> Progress:
        """The progress of one group."""

        def listen(event: object) -> None:
            detail = getattr(event, "detail", "")
            remaining_s = getattr(event, "remaining_s", None)
            if remaining_s is not None:
                self._remaining_s[group.name] = remaining_s
            self._progress.report(f"{group.name}: {detail}", self._total())

        return Progress(group.name, listen)

    def _total(self) -> float:
        # The estimates assume that no other build runs.
        return max(sum(self._remaining_s.values()), 1.0)


async def _provide(group: Group, slots: asyncio.Semaphore, progress: Progress) -> None:
    target = folder(group)

    def waiting() -> None:
        progress.report("waiting for another run that builds the same programs")

    async with slots, locked(target.with_suffix(".lock"), waiting):
        if target.exists():  # another run created it meanwhile
            return
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        # A group without programs has definitions only.
        if group.packages and not await _download(group, partial, progress):
            await golang.build(group, partial, progress)
        if group.needs_source:
            source = await golang.source(group, progress)
            await asyncio.to_thread(_copy_source, source, partial / "source")
        await asyncio.to_thread(integrity.verify, partial, group.packages)
        partial.rename(target)
        progress.report("in the cache", 0.0)


async def _is_downloadable(group: Group, progress: Progress) -> bool:
    """Whether the vendor of every program of the group offers it to this host."""
    if platform.machine() != DOWNLOAD_ARCHITECTURE:
        return False
    downloadable = {name for download_spec in group.downloads for name in download_spec.members}
    if not downloadable.issuperset(group.packages.keys() - ALWAYS_BUILT):
        return False
    for download_spec in group.downloads:
        if not download_spec.sha256:
            progress.report(f"no SHA-256 of {download_spec.key} is recorded: building instead")
            return False
    for site in {download_spec.site for download_spec in group.downloads}:
        if not await download.is_reachable(site):
            progress.report(f"{download.base_url(site)} is not reachable: building instead")
            return False
    return True


async def _download(group: Group, into: Path, progress: Progress) -> bool:
    """Whether every program of the group could be downloaded from its vendor."""
    if not await _is_downloadable(group, progress):
        return False
    missing_error: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            for download_spec in group.downloads:
                tasks.create_task(download.fetch(download_spec, into, progress))
    except* download.MissingError as missing:
        missing_error = first_error(missing)
    if missing_error is not None:
        progress.report(f"{missing_error} Building instead.")
        return False
    to_build = {name: package for name, package in group.packages.items() if name in ALWAYS_BUILT}
    if to_build:
        await golang.build(group.only(to_build), into, progress)
    return True


# Nobody publishes them as a download: two are published as images, the others are our own.
ALWAYS_BUILT = frozenset(
    {"kube-router", "metrics-proxy", "metrics-server", "pause", "pgbackrest-job"}
)


def _copy_source(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=shutil.copyfile)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
