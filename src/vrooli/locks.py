"""Lock files: what two runs would both make, one of them makes. A lock ends with its process."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

# How often a lock that another holds is tried, seconds; no event tells of its release.
INTERVAL_S = 0.3


@contextlib.asynccontextmanager
async def locked(path: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold a lock file against other processes and the other tasks of this one.

    Args:
        path: The file, made if it is missing.
        waiting: Called once when another holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not try_lock(file):
            waiting()
            while True:
                await asyncio.sleep(INTERVAL_S)
                if try_lock(file):
                    break
        yield


def try_lock(file: IO[str], *, shared: bool = False) -> bool:
    """Take an open file's lock if nobody holds it; says whether it is ours now.

    A shared one can be held by many, and by none while somebody has it alone.
    """
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
