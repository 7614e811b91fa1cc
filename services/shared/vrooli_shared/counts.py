"""Counts of what is open, by client and in total."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from vrooli_shared.web import ApiError

RETRY_AFTER = {"Retry-After": "5"}


class OpenCount:
    """The number of things that are open, by client and in total."""

    def __init__(self, per_client: int, total: int | None = None) -> None:
        self._per_client, self._total = per_client, total
        self._open: Counter[str] = Counter()
        self._closed = asyncio.Event()  # another one after each that closes

    @asynccontextmanager
    async def waited(self, client: str, name: str, limit_s: float) -> AsyncIterator[None]:
        """Count one for the length of the block, when there is room.

        Args:
            client: See ``opened``.
            name: See ``opened``.
            limit_s: How long to wait for room, seconds.

        Raises:
            ApiError: There was no room in time; see ``opened``.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._is_full_for(client) or self._is_full():
                    await self._closed.wait()
        with self.opened(client, name):
            yield

    @contextmanager
    def opened(self, client: str, name: str) -> Iterator[None]:
        """Count one for the length of the block.

        Args:
            client: The client's address; without one only the total is limited.
            name: What is counted, in the plural, for the message.

        Raises:
            ApiError: The client (429) or all clients together (503) have too many.
        """
        if self._is_full_for(client):
            message = f"This address has {self._per_client} open {name}. Close some, or wait."
            raise ApiError(429, "too-many-of-client", message, RETRY_AFTER)
        if self._is_full():
            message = f"The server has {self._total} open {name}. Try again later."
            raise ApiError(503, "too-many", message, RETRY_AFTER)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
            self._closed.set()
            self._closed = asyncio.Event()

    def _is_full_for(self, client: str) -> bool:
        return bool(client) and self._open[client] >= self._per_client

    def _is_full(self) -> bool:
        return self._total is not None and self._open.total() >= self._total
