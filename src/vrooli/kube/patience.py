"""Requests that wait for an API server that does not answer for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx

from vrooli.errors import VrooliError
from vrooli.kube.api_errors import ApiError

T = TypeVar("T")

# How long requests of a command that changes something wait, and the time between two of them,
# seconds. It is shorter than the duration of the lock that such a command holds (release/lease.py).
# Waits for a state have a limit of their own (databases/polling.py).
OUTAGE_S, PAUSE_S = 25.0, 1.0
# The same request can be made twice.
_REPEATABLE = ("GET", "PATCH", "DELETE")
# A proxy before the API server answers in its place, or the server starts.
_UNAVAILABLE = (
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)
# How often a request is made that the server refuses for now, and the longest delay between two of
# them, seconds; client-go makes as many (maxRetries in rest/request.go).
MAX_ATTEMPTS, LONGEST_DELAY_S = 10, 5.0
# The request has not reached the server.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)


async def repeat_refused(attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of an attempt, repeated after the delay that the server names with status 429.

    The server has not begun such a request. It answers so while the storage of a new kind starts.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await attempt()
        except ApiError as error:
            delay_s = error.retry_after_s
            is_refusal = error.status != httpx.codes.TOO_MANY_REQUESTS
            if is_refusal or delay_s is None or delay_s > LONGEST_DELAY_S:
                raise
            await asyncio.sleep(delay_s)
    return await attempt()


class Patience:
    """How long requests are repeated; not at all, but in a block."""

    def __init__(self) -> None:
        self._limit_s = 0.0

    @contextmanager
    def block(self) -> Iterator[None]:
        """Repeat requests within the block."""
        before, self._limit_s = self._limit_s, OUTAGE_S
        try:
            yield
        finally:
            self._limit_s = before

    async def repeat(
        self, attempt: Callable[[], Awaitable[T]], is_repeatable: Callable[[VrooliError], bool]
    ) -> T:
        """The result of an attempt, which is repeated in an outage."""
        until, attempts = time.monotonic() + self._limit_s, 0
        while True:
            try:
                return await attempt()
            except VrooliError as error:
                attempts += 1
                # One request may have taken all of the time.
                is_over = time.monotonic() >= until and (attempts > 1 or not self._limit_s)
                if is_over or not is_repeatable(error):
                    raise
            await asyncio.sleep(PAUSE_S)


def is_repeatable(method: str, error: VrooliError) -> bool:
    """Whether a request that failed in an outage can be made again."""
    if isinstance(error, ApiError):
        return error.status in _UNAVAILABLE and method in _REPEATABLE
    return error.is_outage and (method in _REPEATABLE or _is_unsent(error.__cause__))


def _is_unsent(cause: BaseException | None) -> bool:
    # The client raises errors of its own for those of the connection.
    return isinstance(cause, _UNSENT) or isinstance(getattr(cause, "__cause__", None), _UNSENT)
