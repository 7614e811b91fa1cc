"""Steps: run at once where they don't depend on each other, reported, cancelled together."""

from __future__ import annotations

import asyncio

import pytest

from vrooli import steps
from vrooli.errors import VrooliError
from vrooli.events import (
    Event,
    ObjectState,
    Outcome,
    Progress,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from vrooli.steps import Done, Step, run_steps


def _step(name: str, changed: bool = False, after: tuple[str, ...] = ()) -> Step:
    async def ensure(progress: Progress) -> Done:
        progress.report("at it", 3.0)
        return Done(changed, f"{name} is there")

    return Step(name, name.title(), ensure, after)


def _failing(error: Exception, after: tuple[str, ...] = ()) -> Step:
    async def ensure(progress: Progress) -> Done:
        raise error

    return Step("bad", "Bad", ensure, after)


def _run(*steps: Step) -> tuple[list[StepEnded], list[Event]]:
    events: list[Event] = []
    return asyncio.run(run_steps(steps, events.append)), events


def test_a_step_reports_its_start_what_it_says_and_its_end() -> None:
    ended, events = _run(_step("one", changed=True))
    assert events[0] == StepStarted("one", "One")
    assert events[1] == StepProgressed("one", "at it", 3.0)
    assert events[2] is ended[0]
    assert (ended[0].outcome, ended[0].detail) == (Outcome.CHANGED, "one is there")


def test_a_step_that_changed_nothing_says_so() -> None:
    ended, _ = _run(_step("one"))
    assert ended[0].outcome is Outcome.UNCHANGED


def test_a_step_starts_after_those_it_stands_on() -> None:
    ended, _ = _run(_step("last", after=("first", "second")), _step("second"), _step("first"))
    assert [step.step for step in ended][-1] == "last"


def test_steps_that_do_not_depend_on_each_other_run_at_once() -> None:
    meeting = asyncio.Barrier(2)

    async def ensure(progress: Progress) -> Done:
        async with asyncio.timeout(60):
            await meeting.wait()
        return Done(changed=False)

    ended, _ = _run(Step("a", "A", ensure), Step("b", "B", ensure))
    assert {step.outcome for step in ended} == {Outcome.UNCHANGED}


def test_a_failure_cancels_what_runs_and_nothing_new_starts() -> None:
    async def forever(progress: Progress) -> Done:
        await asyncio.Event().wait()
        raise AssertionError

    events: list[Event] = []
    steps = [
        Step("long", "Long", forever),
        _failing(VrooliError("no luck")),
        _step("next", after=("bad",)),
    ]
    with pytest.raises(VrooliError, match="no luck"):
        asyncio.run(run_steps(steps, events.append))
    ends = {event.step: event for event in events if isinstance(event, StepEnded)}
    assert ends["bad"].outcome is Outcome.FAILED
    assert ends["bad"].detail == "no luck"
    assert ends["long"].outcome is Outcome.CANCELLED
    assert "next" not in {getattr(event, "step", None) for event in events}


@pytest.mark.parametrize(
    "raised",
    [
        VrooliError("inner"),
        ExceptionGroup("group", [VrooliError("inner")]),
        ExceptionGroup("outer", [ExceptionGroup("group", [OSError("x"), VrooliError("inner")])]),
    ],
    ids=["plain", "group", "nested"],
)
def test_the_error_of_a_step_comes_out_as_itself_however_deep_it_was(raised: Exception) -> None:
    with pytest.raises(VrooliError, match="inner"):
        _run(_failing(raised))


def test_a_fault_that_nobody_meant_still_ends_its_step() -> None:
    events: list[Event] = []
    with pytest.raises(ExceptionGroup):
        asyncio.run(run_steps([_failing(ZeroDivisionError("oh"))], events.append))
    assert isinstance(events[-1], StepEnded)
    assert "ZeroDivisionError" in events[-1].detail


def test_a_step_on_an_unknown_step_is_refused_before_anything_runs() -> None:
    events: list[Event] = []
    with pytest.raises(ValueError, match="nowhere"):
        asyncio.run(run_steps([_step("a", after=("nowhere",))], events.append))
    assert events == []


def test_a_cancelled_run_ends_its_steps_as_cancelled() -> None:
    events: list[Event] = []
    running = asyncio.Event()

    async def forever(progress: Progress) -> Done:
        running.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def cancel_it() -> None:
        task = asyncio.create_task(run_steps([Step("long", "Long", forever)], events.append))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_it())
    assert [event.outcome for event in events if isinstance(event, StepEnded)] == [
        Outcome.CANCELLED
    ]


async def test_a_step_that_waits_repeats_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "REPEAT_S", 0.01)
    events: list[Event] = []
    repeated = asyncio.Event()

    def listen(event: Event) -> None:
        events.append(event)
        if events.count(event) > 1:
            repeated.set()

    async def ensure(progress: Progress) -> Done:
        progress.report("waiting for the disk", 3.0)
        await repeated.wait()
        repeated.clear()
        progress.show("Deployment/a", ObjectState.WAITING, "0 of 1")
        await repeated.wait()
        return Done(changed=False)

    await run_steps([Step("one", "One", ensure)], listen)
    details = [event.detail for event in events if isinstance(event, StepProgressed)]
    assert details[0] == details[1] == "waiting for the disk"
    assert details[-1] == "waiting for Deployment/a (0 of 1)"
