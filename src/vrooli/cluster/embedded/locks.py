"""Lock files that are released when their process ends, and contain its id."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import PrerequisiteError

# A query for the holder also holds the lock for a moment.
HOLD_ATTEMPTS, HOLD_PAUSE_S = 10, 0.02
# Timeout of waiting for other processes, seconds; each of them is quick.
ALONE_S = 60.0


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the cluster's lock: only one process at a time may change a cluster.

    Raises:
        PrerequisiteError: Another process holds it.
    """
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
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
async def alone(name: str) -> AsyncIterator[None]:
    """Acquire a machine-wide lock; waits while another process holds it.

    The lock is a name in the kernel alone (an abstract Unix socket, unix(7)): no file stays.

    Raises:
        PrerequisiteError: Another process held it for too long.
    """
    with socket.socket(socket.AF_UNIX) as place:
        deadline = time.monotonic() + ALONE_S
        while not _bound(place, f"\0{name}"):
            if time.monotonic() > deadline:
                raise PrerequisiteError(
                    "Another cluster has been starting for long.", "Run the command again."
                )
            await asyncio.sleep(HOLD_PAUSE_S)
        yield


def _bound(place: socket.socket, address: str) -> bool:
    try:
        place.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    return True


def hold(path: Path) -> int | None:
    """Acquire a lock until this process ends, and write its id into the file.

    Returns:
        The lock's descriptor, or None when another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
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
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or b"0")
    finally:
        os.close(descriptor)
    return None
