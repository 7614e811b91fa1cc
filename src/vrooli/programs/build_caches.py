"""The Go module and build caches: kept while programs are built, deleted afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from vrooli import process
from vrooli.locks import INTERVAL_S, open_private, try_lock
from vrooli.programs import golang

# Deleted caches that are still on the disk; a deletion that was interrupted is continued.
_DELETED = "go-deleted-"
# A disk that is told of each freed block deletes 240 files per second in one process, four times
# as many in eight.
_PROCESSES = 8
# Some 200,000 files on a slow disk, seconds.
_DELETE_S = 3600.0


def _lock_file() -> Path:
    return golang.caches().with_suffix(".lock")


@contextlib.asynccontextmanager
async def kept() -> AsyncIterator[None]:
    """Keep the build caches: hold the lock that `delete` needs, shared."""
    with open_private(_lock_file()) as file:
        while not try_lock(file, shared=True):  # noqa: ASYNC110 - there is no event for its release
            await asyncio.sleep(INTERVAL_S)
        yield


async def delete() -> bool:
    """Delete the Go module and build caches; the programs stay.

    They disappear at once, also if the deletion is interrupted: Go trusts a module's folder that
    lacks some of its files.

    Returns:
        Whether they were deleted; not while another run builds programs.

    Raises:
        CommandError: Files cannot be deleted.
    """
    with open_private(_lock_file()) as file:
        if not try_lock(file):
            return False
        caches = golang.caches()
        if caches.exists():
            caches.rename(Path(tempfile.mkdtemp(prefix=_DELETED, dir=caches.parent)) / caches.name)
    for folder in golang.caches().parent.glob(f"{_DELETED}*"):
        # Go writes its module cache read-only, folders included.
        await process.run(["chmod", "-R", "u+w", folder], timeout_s=_DELETE_S)
        for level in ("*/*/*/*/", "*/*/*/"):
            await _delete_all(sorted(folder.glob(level)))
        await _delete_all([folder])
    return True


async def _delete_all(paths: Sequence[Path]) -> None:
    async with asyncio.TaskGroup() as group:
        for first in range(min(_PROCESSES, len(paths))):
            argv: list[str | Path] = ["rm", "-r", "-f", "--", *paths[first::_PROCESSES]]
            group.create_task(process.run(argv, timeout_s=_DELETE_S))
