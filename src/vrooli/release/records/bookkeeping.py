"""What is written down of a release that became ready; a failure here undoes no healthy release."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.redaction import Redactor
from vrooli.release.records import history, metadata, retention
from vrooli.release.records.history import Release
from vrooli.steps import Done

AnyDone = TypeVar("AnyDone", bound=Done)

# Pauses before a request is made again, seconds: conflicts and busy API servers pass within them.
PAUSES_S = (1.0, 3.0)
# How long all of it may take, seconds; the Lease is held meanwhile.
LIMIT_S = 30.0


async def note_healthy(
    kube: Kube, release: Release, done: AnyDone, number: int | None = None
) -> AnyDone:
    """Note that a revision (the newest one) has become ready, and delete what is kept no longer.

    Returns:
        What was done, whose detail also says what could not be noted.
    """

    async def note() -> None:
        last = number
        if last is None:
            newest = await history.last(release)
            last = newest.number if newest else None
        if last is not None:
            await metadata.note_ready(kube, release, last)

    lack = await _attempt(note)
    if lack:
        return replace(done, detail=f"{done.detail}; could not be noted as ready: {lack}")
    lack = await prune(kube, release)
    return replace(done, detail=f"{done.detail}; {lack}") if lack else done


async def prune(kube: Kube, release: Release) -> str:
    """Delete the revisions that are kept no longer; gives why that failed, or an empty text."""
    lack = await _attempt(lambda: retention.prune(kube, release))
    return f"old revisions could not be deleted: {lack}" if lack else ""


async def _attempt(act: Callable[[], Awaitable[object]]) -> str:
    """Do it, again after an error that may pass; gives the last error's message, one line."""
    said = f"no answer within {LIMIT_S:.0f} s"
    try:
        async with asyncio.timeout(LIMIT_S):
            for pause_s in (*PAUSES_S, None):
                try:
                    await act()
                except VrooliError as error:
                    said = " ".join(Redactor().text(error.message).split())
                    if pause_s is None or (isinstance(error, ApiError) and error.is_forbidden):
                        return said
                    await asyncio.sleep(pause_s)
                else:
                    return ""
    except TimeoutError:
        pass
    return said
