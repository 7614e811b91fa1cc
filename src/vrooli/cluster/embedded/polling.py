"""Polls a condition that cannot be awaited: files, and processes that are not children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PAUSE_S = 0.1


async def poll_until(condition: Callable[[], Awaitable[bool]], limit_s: float) -> bool:
    """Evaluate a condition repeatedly; returns whether it became true within the limit."""
    try:
        async with asyncio.timeout(limit_s):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        return False
    return True
