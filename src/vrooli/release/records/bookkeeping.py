"""The records of a release that became ready; an error here does not fail a healthy release."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.redaction import Redactor
from vrooli.release.model import Release
from vrooli.release.records import marks, retention, storage
from vrooli.steps import Done

AnyDone = TypeVar("AnyDone", bound=Done)

# Pauses before each retry, seconds: conflicts pass, and busy API servers recover, within them.
PAUSES_S = (1.0, 3.0)
# The limit of all attempts, seconds; the Lease is held meanwhile.
LIMIT_S = 30.0


async def record_healthy(
    kube: Kube, release: Release, done: AnyDone, number: int | None = None
) -> AnyDone:
    """Mark a revision (the newest one by default) as ready, and delete surplus records.

    Returns:
        The given result; its detail also says what could not be stored.
    """

    async def mark() -> None:
        revision = number
        if revision is None:
            newest = await storage.fetch_record(kube, release)
            revision = newest.revision.number if newest else None
        if revision is not None:
            await marks.mark_ready(kube, release, revision)

    problem = await attempt(mark)
    if problem:
        return replace(done, detail=f"{done.detail}; could not be marked as ready: {problem}")
    problem = await prune(kube, release)
    return replace(done, detail=f"{done.detail}; {problem}") if problem else done


async def prune(kube: Kube, release: Release) -> str:
    """Delete surplus records; returns why that failed, or an empty text."""
    problem = await attempt(lambda: retention.prune(kube, release))
    return f"old revisions could not be deleted: {problem}" if problem else ""


async def attempt(action: Callable[[], Awaitable[object]]) -> str:
    """Act, with retries; returns the last error's message on one line, or an empty text."""
    message = f"no answer within {LIMIT_S:.0f} s"
    try:
        async with asyncio.timeout(LIMIT_S):
            for pause_s in (*PAUSES_S, None):
                try:
                    await action()
                except VrooliError as error:
                    message = " ".join(Redactor().text(error.message).split())
                    if pause_s is None or (isinstance(error, ApiError) and error.is_forbidden):
                        return message
                    await asyncio.sleep(pause_s)
                else:
                    return ""
    except TimeoutError:
        pass
    return message
