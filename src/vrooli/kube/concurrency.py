"""The same request for many objects, with a limit of concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from vrooli.steps import first_error

T = TypeVar("T")
Result = TypeVar("Result")

# All at once would open a connection for each, whose handshake costs more than the request.
AT_ONCE = 8


async def gather_limited(
    request: Callable[[T], Awaitable[Result]], items: Iterable[T]
) -> list[Result]:
    """The results of a request for each item, in their order; the first failure ends the others."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> Result:
        async with free:
            return await request(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    return [task.result() for task in tasks]
