"""Waits until a reason to wait is gone, where nothing can be watched: states inside databases."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from vrooli.errors import VrooliError
from vrooli.events import Progress

POLL_S = 0.5
# How long the cluster may not answer in a wait, seconds. This is not the limit of kube/patience.py,
# which repeats one request and is off without a lock. A wait also reads from programs in pods and
# from databases, reports the outage as its reason, and counts from the first read that failed.
OUTAGE_S = 30.0
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

    A cluster that does not answer for a while is a reason, too.

    Args:
        read: Reads the reason; empty if there is none.
        limit_s: The time limit, seconds.
        progress: Receives the reasons.
        interval_s: The time between two reads, seconds.

    Returns:
        The last reason at the limit; empty if there is none any more.

    Raises:
        VrooliError: It could not be read.
    """
    reason, reported = UNKNOWN, ""
    tolerant = _Tolerant(read)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while reason := await tolerant.read():
                if reason != reported:
                    progress.report(f"waits: {reason}")
                    reported = reason
                await asyncio.sleep(interval_s)
    return reason


class _Tolerant:
    """Reads a reason; an outage is one, too, until it has lasted too long."""

    def __init__(self, read: Callable[[], Awaitable[str]]) -> None:
        self._read = read
        self._since: float | None = None

    async def read(self) -> str:
        """The reason."""
        try:
            reason = await self._read()
        except VrooliError as error:
            now = time.monotonic()
            self._since = now if self._since is None else self._since
            if not error.is_outage or now - self._since > OUTAGE_S:
                raise
            return error.message
        self._since = None
        return reason
