"""Work that ends normally by its cancellation: what Ctrl-C ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable


async def until_cancelled(work: Awaitable[object]) -> None:
    """Await work, and return once the current task is cancelled."""
    try:
        await work
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
