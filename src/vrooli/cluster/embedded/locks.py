"""Lock files that are released when their process ends, and contain its id."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import PrerequisiteError
from vrooli.trust import create_trusted, require_trusted

# A query for the holder also holds the lock for a moment.
HOLD_ATTEMPTS, HOLD_PAUSE_S = 10, 0.02
# Timeout of waiting for other processes, seconds; each of them is quick.
ALONE_S = 60.0


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the cluster's lock: only one process at a time may change a cluster.

    Raises:
        PrerequisiteError: Another process holds it, or another user could replace its file.
    """
    create_trusted(layout.lock.parent)
    require_trusted(layout.root)
    descriptor = hold(layout.lock)
    if descriptor is None:
        other = holder(layout.lock)
        raise PrerequisiteError(
            f"Process {other} is changing the cluster {layout.name} right now.",
            f"Wait until it has ended, or end it (`kill {other}`), then run the command again.",
        )
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """Acquire a machine-wide lock; waits while another process holds it. No file stays.

    Only root can open the file, so no other user can hold the lock. A name that anybody can bind,
    such as an abstract Unix socket or a file in /tmp, would let any user block this for ever.

    Args:
        path: The lock's file, in a folder that only root can write to.

    Raises:
        PrerequisiteError: Another process held it for too long.
    """
    deadline = time.monotonic() + ALONE_S
    while (descriptor := _try_alone(path)) is None:
        if time.monotonic() > deadline:
            raise PrerequisiteError(
                "Another cluster has been starting for long.", "Run the command again."
            )
        await asyncio.sleep(HOLD_PAUSE_S)
    try:
        yield
    finally:
        path.unlink()  # before the lock is released: nobody else holds this file
        os.close(descriptor)


def _try_alone(path: Path) -> int | None:
    """The lock's descriptor, or None if another process holds it or has just removed its file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def hold(path: Path) -> int | None:
    """Acquire a lock until this process ends, and write its id into the file.

    Returns:
        The lock's descriptor, or None when another process holds it.
    """
    # A link could lead to any file of root, which would be emptied.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    for _ in range(HOLD_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(HOLD_PAUSE_S)
            continue
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor
    os.close(descriptor)
    return None


def holder(path: Path) -> int | None:
    """The process id of a lock's holder, or None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or b"0")
    finally:
        os.close(descriptor)
    return None
