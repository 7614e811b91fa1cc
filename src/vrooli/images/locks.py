"""Two runs at once: neither builds what the other builds, nor sweeps away what it works on."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

from vrooli.errors import CommandError
from vrooli.images import records
from vrooli.images.builder import Builder

# How often a lock that another process holds is tried; no event tells of its release.
INTERVAL_S = 0.3


@contextlib.asynccontextmanager
async def locked(path: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold a lock file; ``waiting`` is called when another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not _taken(file):
            waiting()
            while True:
                await asyncio.sleep(INTERVAL_S)
                if _taken(file):
                    break
        yield


@contextlib.asynccontextmanager
async def building(builder: Builder) -> AsyncIterator[None]:
    """Be one of those that build; the last one that fails or is stopped sweeps up after all."""
    path = records.folder() / "building.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        except BaseException:
            if _taken(file):
                with contextlib.suppress(CommandError):  # the build's own error counts more
                    await builder.sweep()
            raise


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
