"""Ending tasks that run beside the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

# The pause between two cancellations of the same task, seconds.
REPEAT_S = 1.0


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again and again, until all of them have ended.

    Once is not enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that arrives in the
    moment in which its inner task ends (python/cpython issue 86296), and the Redis client sends
    each command through it.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=REPEAT_S)
