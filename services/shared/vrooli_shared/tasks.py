"""Cancellation of background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

# Delay between two cancellations of the same task, seconds.
REPEAT_S = 1.0


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks repeatedly until all of them have ended.

    A single cancellation can be lost: `asyncio.wait_for` of Python 3.11 ignores one that arrives
    while its inner task ends (python/cpython issue 86296), and the Redis client uses it for each
    command.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=REPEAT_S)
