"""The time that a command has for an API server: a limit of concurrency, priorities and retries.

A busy server answers few requests fast and many slowly: requests wait in a queue, required ones
come first, and a request that was rejected is retried.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

import httpx

from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.kube.api_errors import ApiError, NoAnswerError

T = TypeVar("T")

# Concurrent requests. A distant server answers each after a while and can take several; a busy one
# answers none of a hundred in time.
AT_ONCE = 12
# The server is busy or starts: the request is retried until the time is over.
TRANSIENT_STATUSES = (
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)
# Attempts for a request whose failure may last: an internal error, a broken connection.
MAX_ATTEMPTS, OPTIONAL_MAX_ATTEMPTS = 6, 3
# The delay before a retry where the server names none, seconds; it doubles after each failure, up
# to the longest.
PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
# The timeout of one attempt, seconds: a connection may be dead without a sign of it.
ATTEMPT_S = 45.0
# How often it is reported what is waited for, seconds, and how many requests are named.
REPORT_S, SHOWN = 2.0, 3
MORE_TIME = "Give it more time with --timeout SECONDS, or see why the API server answers so slowly."


class Priority(IntEnum):
    """The order of requests that wait."""

    REQUIRED = 0
    OPTIONAL = 1


class RequestTimeoutError(PrerequisiteError):
    """A request was not answered within its time; the message says how long that was."""


class RequestQueue:
    """A limited number of concurrent requests, by priority, then in their order."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    async def acquire(self, priority: int) -> None:
        """Wait for a free place; `release` frees it again."""
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._number), mine))
        try:
            await mine
        except asyncio.CancelledError:
            # The place may have been granted at the moment of the cancellation.
            if mine.done() and not mine.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Pass the place on to the request that waits longest with the highest priority."""
        while self._waiting:
            _, _, waiting = heapq.heappop(self._waiting)
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1


@dataclass
class RequestBudget:
    """The time that a command has, shared by all its requests.

    Attributes:
        total_s: How long all of it may take, seconds.
        queue: The requests that wait for a free place.
        waiting: The requests that run now, each with the time when it began.
    """

    total_s: float
    queue: RequestQueue = field(default_factory=RequestQueue)
    waiting: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """The time that is used up, seconds."""
        return time.monotonic() - self._began

    def remaining_s(self, share: float = 1.0) -> float:
        """The rest of a share of the time, seconds; never negative."""
        return max(0.0, self.total_s * share - self.elapsed_s)

    async def run(
        self,
        what: str,
        request: Callable[[float], Awaitable[T]],
        *,
        priority: Priority = Priority.REQUIRED,
        limit_s: float = ATTEMPT_S,
        share: float = 1.0,
    ) -> T:
        """The result of a request, retried while that may help.

        Args:
            what: What is requested, in words.
            request: Makes one attempt; its argument is the timeout, seconds.
            priority: Whether other requests come first.
            limit_s: The timeout of one attempt, seconds.
            share: The share of the budget that the request may use.

        Raises:
            RequestTimeoutError: There was no answer within the time.
            VrooliError: How the last attempt failed that got an answer.
        """
        began = time.monotonic()
        attempts = 0
        failure: Exception | None = None
        while True:
            attempts += 1
            remaining_s = self.remaining_s(share)
            try:
                return await self._once(what, request, priority, remaining_s, limit_s)
            except TimeoutError:
                # The rest of the budget may be too short for an answer: an earlier one says more.
                if failure is None or remaining_s >= limit_s:
                    message = f"no answer within {time.monotonic() - began:.0f} s"
                    failure = RequestTimeoutError(message, MORE_TIME)
                pause_s, is_last = 0.0, priority is Priority.OPTIONAL
            except (ApiError, NoAnswerError) as error:
                failure = error
                pause_s = _pause_s(error, attempts)
                is_last = attempts >= _max_attempts(error, priority)
            if is_last or pause_s >= self.remaining_s(share):
                raise failure
            await asyncio.sleep(pause_s)

    async def _once(
        self,
        what: str,
        request: Callable[[float], Awaitable[T]],
        priority: Priority,
        remaining_s: float,
        limit_s: float,
    ) -> T:
        until = time.monotonic() + remaining_s
        try:
            async with asyncio.timeout(remaining_s):
                await self.queue.acquire(priority)
        except TimeoutError:
            message = f"not asked within {self.elapsed_s:.0f} s: other answers took all of the time"
            raise RequestTimeoutError(message, MORE_TIME) from None
        try:
            self.waiting[what] = time.monotonic()
            limit_s = min(limit_s, until - time.monotonic())
            async with asyncio.timeout(limit_s):
                # Our timeout ends first, since its message says how long it was.
                return await request(limit_s + 1.0)
        finally:
            self.waiting.pop(what, None)
            self.queue.release()

    @asynccontextmanager
    async def reporting(self, progress: Progress) -> AsyncIterator[None]:
        """Report every few seconds what is waited for."""
        task = asyncio.create_task(self._report(progress))
        try:
            yield
        finally:
            task.cancel()

    async def _report(self, progress: Progress) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            if words := self.format_waiting():
                progress.report(f"waits for {words}")

    def format_waiting(self) -> str:
        """The requests that run, the oldest first; empty if there are none."""
        now = time.monotonic()
        items = sorted(self.waiting.items(), key=lambda item: item[1])
        shown = [f"{what} ({now - since:.0f} s)" for what, since in items[:SHOWN]]
        more = [f"{len(items) - SHOWN} more"] if len(items) > SHOWN else []
        return ", ".join([*shown, *more])


def _pause_s(error: ApiError | NoAnswerError, attempts: int) -> float:
    named = error.retry_after_s if isinstance(error, ApiError) else None
    return min(PAUSE_S * 2 ** (attempts - 1), LONGEST_PAUSE_S) if named is None else named


def _max_attempts(error: ApiError | NoAnswerError, priority: Priority) -> float:
    """How many attempts a request gets that fails so."""
    if isinstance(error, ApiError) and error.status in TRANSIENT_STATUSES:
        return OPTIONAL_MAX_ATTEMPTS if priority is Priority.OPTIONAL else float("inf")
    is_internal = isinstance(error, ApiError) and error.status >= httpx.codes.INTERNAL_SERVER_ERROR
    if isinstance(error, ApiError) and (not is_internal or priority is Priority.OPTIONAL):
        return 1
    return OPTIONAL_MAX_ATTEMPTS if priority is Priority.OPTIONAL else MAX_ATTEMPTS
