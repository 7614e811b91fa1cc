"""The reads of `status`: retried within the time of the command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from vrooli.kube import RequestBudget
from vrooli.kube.fetch import Fetcher

T = TypeVar("T")


@dataclass
class StatusFetcher(Fetcher):
    """Reads with retries within the time of the command."""

    budget: RequestBudget = field(kw_only=True)

    async def at(self, what: str, request: Callable[[], Awaitable[T]]) -> T | None:
        """What a request gives; None if it fails, which is recorded.

        Args:
            what: What is read, in words.
            request: Reads it.
        """

        async def run() -> T:
            return await self.budget.run(what, lambda _: request(), limit_s=self.budget.total_s)

        return await self.fetch(what, run, None, None)
