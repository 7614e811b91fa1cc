"""How long a command waits for an API server: a budget, turns in an order, and another try.

A server that is busy answers few requests fast and many slowly: whatever is asked for waits for
its turn, what matters most comes first, and a request that was turned away is tried again.
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
from vrooli.kube.rest import ApiError, NoAnswerError

T = TypeVar("T")

# Requests at a time. A server far away answers each after a while and doesn't mind several; a busy
# one answers none of a hundred in time.
AT_ONCE = 12
# What says that the server is busy, or on its way up: it is asked again until the time is over.
PASSING = (
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)
# How often a request is tried whose failure may last: an internal error, a broken connection.
TRIES, OPTIONAL_TRIES = 6, 3
# How long a request rests before it is tried again where the server names no time, seconds; twice
# as long after each failure, up to the longest.
PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
# How long one try may take at most, seconds: a connection may be dead without a sign of it.
TRY_S = 45.0
# How often it is said what is waited for, seconds, and how much of it.
TELL_S, SHOWN = 2.0, 3
MORE_TIME = "Give it more time with --timeout SECONDS, or see why the API server answers so slowly."


class Priority(IntEnum):
    """Whose turn comes first."""

    REQUIRED = 0
    OPTIONAL = 1


class OutOfTimeError(PrerequisiteError):
    """Something was not answered within the time that there was; the message says how long."""


class Turns:
    """Some requests at a time, the most important first, and in their order among equals."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    async def take(self, priority: int) -> None:
        """Wait for a turn; whoever has it gives it back."""
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._number), mine))
        try:
            await mine
        except asyncio.CancelledError:
            # It may have been given in the very moment in which nobody wanted it any more.
            if mine.done() and not mine.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Pass a turn on to who waits for it."""
        while self._waiting:
            _, _, waiting = heapq.heappop(self._waiting)
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1


@dataclass
class Patience:
    """The time that a command has, shared by all that it asks.

    Attributes:
        total_s: How long all of it may take, seconds.
        turns: Whose turn it is.
        waiting: What is asked right now, each with the moment since when.
    """

    total_s: float
    turns: Turns = field(default_factory=Turns)
    waiting: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """How much of it is over, seconds."""
        return time.monotonic() - self._began

    def left_s(self, share: float = 1.0) -> float:
        """How much is left of a share of it, seconds; never less than nothing."""
        return max(0.0, self.total_s * share - self.elapsed_s)

    async def ask(
        self,
        what: str,
        request: Callable[[float], Awaitable[T]],
        *,
        priority: Priority = Priority.REQUIRED,
        limit_s: float = TRY_S,
        share: float = 1.0,
    ) -> T:
        """What a request gives, once its turn has come; tried again while that may help.

        Args:
            what: What is asked for, in words.
            request: Asks once; given how long the answer may take, seconds.
            priority: Whether others come first.
            limit_s: How long one try may take, seconds.
            share: The share of the budget after which it is given up.

        Raises:
            OutOfTimeError: There was no answer within the time.
            VrooliError: What the last try ended with.
        """
        began = time.monotonic()
        tries = 0
        while True:
            tries += 1
            left_s = self.left_s(share)
            try:
                return await self._once(what, request, priority, left_s, limit_s)
            except TimeoutError:
                waited_s = time.monotonic() - began
                failure: Exception = OutOfTimeError(f"no answer within {waited_s:.0f} s", MORE_TIME)
                pause_s, is_last = 0.0, priority is Priority.OPTIONAL
            except (ApiError, NoAnswerError) as error:
                failure = error
                pause_s = _pause_s(error, tries)
                is_last = tries >= _tries(error, priority)
            if is_last or pause_s >= self.left_s(share):
                raise failure
            await asyncio.sleep(pause_s)

    async def _once(
        self,
        what: str,
        request: Callable[[float], Awaitable[T]],
        priority: Priority,
        left_s: float,
        limit_s: float,
    ) -> T:
        until = time.monotonic() + left_s
        try:
            async with asyncio.timeout(left_s):
                await self.turns.take(priority)
        except TimeoutError:
            said = f"not asked within {self.elapsed_s:.0f} s: other answers took all of the time"
            raise OutOfTimeError(said, MORE_TIME) from None
        try:
            self.waiting[what] = time.monotonic()
            limit_s = min(limit_s, until - time.monotonic())
            async with asyncio.timeout(limit_s):
                # Ours ends first: it says how long.
                return await request(limit_s + 1.0)
        finally:
            self.waiting.pop(what, None)
            self.turns.give_back()

    @asynccontextmanager
    async def telling(self, progress: Progress) -> AsyncIterator[None]:
        """Say every few seconds what is waited for, while it goes on."""
        task = asyncio.create_task(self._tell(progress))
        try:
            yield
        finally:
            task.cancel()

    async def _tell(self, progress: Progress) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            if words := self.words():
                progress.report(f"waits for {words}")

    def words(self) -> str:
        """What is being waited for, the longest first; empty where nothing is."""
        now = time.monotonic()
        items = sorted(self.waiting.items(), key=lambda item: item[1])
        shown = [f"{what} ({now - since:.0f} s)" for what, since in items[:SHOWN]]
        more = [f"{len(items) - SHOWN} more"] if len(items) > SHOWN else []
        return ", ".join([*shown, *more])


def _pause_s(error: ApiError | NoAnswerError, tries: int) -> float:
    named = error.retry_after_s if isinstance(error, ApiError) else None
    return min(PAUSE_S * 2 ** (tries - 1), LONGEST_PAUSE_S) if named is None else named


def _tries(error: ApiError | NoAnswerError, priority: Priority) -> float:
    """How often a request is tried that ends so."""
    if isinstance(error, ApiError) and error.status in PASSING:
        return OPTIONAL_TRIES if priority is Priority.OPTIONAL else float("inf")
    is_internal = isinstance(error, ApiError) and error.status >= httpx.codes.INTERNAL_SERVER_ERROR
    if isinstance(error, ApiError) and (not is_internal or priority is Priority.OPTIONAL):
        return 1
    return OPTIONAL_TRIES if priority is Priority.OPTIONAL else TRIES
