"""Security updates and known vulnerabilities of packages, beside the result of a command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from vrooli.vulnerabilities import lookup
from vrooli.workflows.results.base import PackagesView
from vrooli.workflows.results.findings import CheckResult
from vrooli.workflows.results.status import StatusResult

R = TypeVar("R", CheckResult, StatusResult)


async def fetch(limit_s: float, *, reads_images: bool) -> PackagesView:
    """The recorded lookup, or a new one; it takes no longer than its time, and never fails.

    Args:
        limit_s: The time, seconds.
        reads_images: Whether the packages of images may be read, which takes seconds for each.
    """
    result = await lookup.current(limit_s, reads_images=reads_images)
    return PackagesView(
        looked_up_at=result.time,
        updates=result.updates,
        vulnerabilities=result.vulnerabilities,
        unchecked=result.unchecked,
    )


async def add_to(work: Awaitable[R], limit_s: float) -> R:
    """The result of a command with the packages, which are looked up meanwhile.

    Args:
        work: The command.
        limit_s: The time of the lookup, seconds.
    """
    lookup_task = asyncio.create_task(fetch(limit_s, reads_images=False))
    try:
        result = await work
        return result.model_copy(update={"packages": await lookup_task})
    finally:
        lookup_task.cancel()
