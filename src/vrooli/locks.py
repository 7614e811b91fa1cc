"""Lock files between processes and between tasks. A lock is released when its process ends."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

# Interval of attempts to acquire a held lock, seconds; there is no event for its release.
INTERVAL_S = 0.3
# The interval of reports that a lock is still held, seconds.
REPEAT_S = 30.0


@contextlib.asynccontextmanager
async def locked(path: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold a lock file; excludes other processes and other tasks of this process.

    Args:
        path: The file; created if it does not exist.
        waiting: Called if another holder must be waited for, and again every 30 s.
    """
    with open_private(path) as file:
        reported = -REPEAT_S
        while not try_lock(file):
            if time.monotonic() - reported >= REPEAT_S:
                waiting()
                reported = time.monotonic()
            await asyncio.sleep(INTERVAL_S)
        yield


def open_private(path: Path) -> IO[str]:
    """Open a lock file for its owner only: whoever can open it can lock it, and block others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w")


def try_lock(file: IO[str], *, shared: bool = False) -> bool:
    """Acquire an open file's lock if it is free; returns whether it was acquired.

    Many can hold a shared lock at the same time, but not while an exclusive lock is held.
    """
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
