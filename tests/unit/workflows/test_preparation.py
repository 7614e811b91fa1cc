"""Builds beside the tests that do not need them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from vrooli.cluster.embedded.polling import poll_until
from vrooli.errors import PrerequisiteError
from vrooli.events import Event, Progress, StepEnded, silent
from vrooli.steps import Done, Step
from vrooli.workflows.suites import builds


@pytest.fixture(autouse=True)
def beside_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no build before the body."""
    monkeypatch.setattr(builds, "AT_ONCE_S", 0.01)


async def _build(progress: Progress) -> Done:
    progress.report("compiling")
    return Done(changed=True, detail="built")


async def _fail(progress: Progress) -> Done:
    del progress
    raise PrerequisiteError("The registry is not reachable.", "Check the proxy.")


async def _until_there(result: Path) -> str:
    async def is_there() -> bool:
        return result.exists()

    assert await poll_until(is_there, 30)
    return result.read_text()


async def test_what_runs_beside_builds_reads_their_end_in_a_file() -> None:
    events: list[Event] = []
    may_end = asyncio.Event()

    async def build(progress: Progress) -> Done:
        await may_end.wait()
        return await _build(progress)

    steps = [Step("programs", "Programs", build)]
    async with builds.beside(steps, events.append) as env:
        result = Path(env[builds.RESULT])
        assert not result.exists()
        may_end.set()
        assert await _until_there(result) == ""
    assert not result.parent.exists()
    assert [type(event) for event in events] == [StepEnded]


async def test_a_failed_build_is_known_to_the_body_and_raised_after_it() -> None:
    failures: list[str] = []
    steps = [Step("programs", "Programs", _fail), Step("images", "Images", _build, ("programs",))]
    with pytest.raises(PrerequisiteError, match="not reachable"):
        async with builds.beside(steps, silent) as env:
            failures.append(await _until_there(Path(env[builds.RESULT])))
    assert failures == ["The registry is not reachable. Check the proxy."]


async def test_builds_end_with_what_needs_them() -> None:
    cancelled: list[bool] = []
    began = asyncio.Event()

    async def build(progress: Progress) -> Done:
        del progress
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return Done(changed=False)

    async with builds.beside([Step("programs", "Programs", build)], silent):
        await began.wait()
    assert cancelled == [True]


async def test_where_nothing_is_built_nothing_waits() -> None:
    async with builds.beside([], silent) as env:
        assert env == {}
