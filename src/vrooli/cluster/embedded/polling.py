"""Polls a condition that cannot be awaited: files, and processes that are not children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

PAUSE_S = 0.1
# How long a program may take to accept a connection, seconds.
CONNECT_S = 5.0


async def poll_until(condition: Callable[[], Awaitable[bool]], limit_s: float) -> bool:
    """Evaluate a condition repeatedly; returns whether it became true within the limit."""
    try:
        async with asyncio.timeout(limit_s):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        return False
    return True


async def accepts_connections(path: Path) -> bool:
    """Whether a program listens at a Unix socket; a killed one leaves its file."""
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_unix_connection(path)
    except OSError:  # TimeoutError is one, too
        return False
    writer.close()
    return True
