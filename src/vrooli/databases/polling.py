"""Waits until a reason to wait is gone, where nothing can be watched: states inside databases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from vrooli.events import Progress

POLL_S = 0.5
# The reason while the first question has no answer.
UNKNOWN = "its state could not be read"


async def poll_reason(
    read: Callable[[], Awaitable[str]],
    limit_s: float,
    progress: Progress,
    *,
    interval_s: float = POLL_S,
) -> str:
    """Read the reason to wait until there is none, and report each new one.

    Args:
        read: Reads the reason; empty if there is none.
        limit_s: The time limit, seconds.
        progress: Receives the reasons.
        interval_s: The time between two reads, seconds.

    Returns:
        The last reason at the limit; empty if there is none any more.
    """
    reason, reported = UNKNOWN, ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while reason := await read():
                if reason != reported:
                    progress.report(f"waits: {reason}")
                    reported = reason
                await asyncio.sleep(interval_s)
    return reason
