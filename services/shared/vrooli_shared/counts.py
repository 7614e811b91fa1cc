"""Counts of what is open, by client and in total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from vrooli_shared.web import ApiError

RETRY_AFTER = {"Retry-After": "5"}


class OpenCount:
    """The number of things that are open, by client and in total."""

    def __init__(self, per_client: int, total: int | None = None) -> None:
        self._per_client, self._total = per_client, total
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, client: str, name: str) -> Iterator[None]:
        """Count one for the length of the block.

        Args:
            client: The client's address; without one only the total is limited.
            name: What is counted, in the plural, for the message.

        Raises:
            ApiError: The client (429) or all clients together (503) have too many.
        """
        if client and self._open[client] >= self._per_client:
            message = f"This address has {self._per_client} open {name}. Close some, or wait."
            raise ApiError(429, "too-many-of-client", message, RETRY_AFTER)
        if self._total is not None and self._open.total() >= self._total:
            message = f"The server has {self._total} open {name}. Try again later."
            raise ApiError(503, "too-many", message, RETRY_AFTER)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
