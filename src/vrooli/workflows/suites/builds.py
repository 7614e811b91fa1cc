"""Builds for tests, beside the tests that do not need them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from vrooli.errors import VrooliError
from vrooli.events import Event, Listener, StepEnded
from vrooli.steps import Step, run_steps

# The variable that names a file. It exists once the builds have ended, and holds their failure.
RESULT = "VROOLI_TEST_BUILDS"
# How long the builds may take before what runs beside them starts, seconds. With full caches they
# take less, and their progress is shown.
AT_ONCE_S = 5.0


@asynccontextmanager
async def beside(steps: Sequence[Step], listener: Listener) -> AsyncIterator[Mapping[str, str]]:
    """Run steps beside the body, whose programs wait for their result where they need it.

    Yields:
        The environment of these programs.

    Raises:
        VrooliError: A step failed.
    """
    if not steps:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="vrooli-builds-") as folder:
        result = Path(folder) / "result"
        building = asyncio.create_task(_build(steps, result, _only_results(listener)))
        try:
            await asyncio.wait([building], timeout=AT_ONCE_S)
            yield {RESULT: str(result)}
            if building.done():
                await building
        finally:
            building.cancel()
            await asyncio.wait([building])


async def _build(steps: Sequence[Step], result: Path, listener: Listener) -> None:
    failure = "interrupted"
    try:
        await run_steps(steps, listener)
        failure = ""
    except VrooliError as error:
        failure = f"{error.message} {error.advice}"
        raise
    finally:
        part = result.with_suffix(".part")
        part.write_text(failure)
        part.rename(result)


def _only_results(listener: Listener) -> Listener:
    """The output belongs to the tests meanwhile."""

    def listen(event: Event) -> None:
        if isinstance(event, StepEnded):
            listener(event)

    return listen
