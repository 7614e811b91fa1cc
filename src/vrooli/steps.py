"""Idempotent steps, run concurrently unless they depend on each other."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from vrooli.errors import VrooliError
from vrooli.events import (
    Event,
    Listener,
    ObjectProgressed,
    ObjectState,
    Outcome,
    Progress,
    StepEnded,
    StepProgressed,
    StepStarted,
)

# A step that has reported nothing for this long repeats what it waits for, seconds.
REPEAT_S = 30.0
# It names so many of the objects that it waits for.
MOST_NAMED = 3


@dataclass(frozen=True)
class Done:
    """The result of a step: whether it changed anything, and a one-line summary."""

    changed: bool
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a workflow.

    It checks the state first, acts if needed, and can be repeated at any time.

    Attributes:
        name: A short, stable name, part of the JSON output.
        title: The text on the console.
        ensure: Does the work.
        after: Names of the steps that must succeed before it starts.
    """

    name: str
    title: str
    ensure: Callable[[Progress], Awaitable[Done]]
    after: tuple[str, ...] = field(default=())


async def run_steps(steps: Sequence[Step], listener: Listener) -> list[StepEnded]:
    """Run the steps, each as soon as its dependencies have finished.

    The first failure cancels the running steps; its error is raised after they have ended.

    Raises:
        VrooliError: The first step's error.
    """
    finished = {step.name: asyncio.Event() for step in steps}
    unknown = {name for step in steps for name in step.after} - finished.keys()
    if unknown:
        raise ValueError(f"steps depend on unknown steps:  {sorted(unknown)}")
    results: list[StepEnded] = []

    def report(event: Event) -> None:
        if isinstance(event, StepEnded):
            results.append(event)
        listener(event)

    async def run_one(step: Step) -> None:
        for name in step.after:
            await finished[name].wait()
        await _run_step(step, report)
        finished[step.name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(run_one(step), name=step.name)
    except* VrooliError as errors:
        raise first_error(errors) from errors
    return results


async def _run_step(step: Step, report: Listener) -> None:
    report(StepStarted(step.name, step.title))
    began = time.monotonic()

    def ended(outcome: Outcome, detail: str) -> StepEnded:
        return StepEnded(step.name, step.title, outcome, time.monotonic() - began, detail)

    try:
        async with repeating(step.name, report) as repeated:
            done = await step.ensure(Progress(step.name, repeated))
    except asyncio.CancelledError:
        report(ended(Outcome.CANCELLED, "cancelled"))
        raise
    except (Exception, BaseExceptionGroup) as raised:
        # Concurrent work fails with an exception group; the first error represents it.
        error = first_error(raised)
        report(ended(Outcome.FAILED, message_of(error)))
        raise error from raised
    report(ended(Outcome.CHANGED if done.changed else Outcome.UNCHANGED, done.detail))


@contextlib.asynccontextmanager
async def repeating(step: str, listener: Listener) -> AsyncIterator[Listener]:
    """A listener of a step, which repeats what the step waits for while nothing is reported."""
    reports = _Reports(step, listener)
    task = asyncio.create_task(reports.repeat())
    try:
        yield reports.listen
    finally:
        task.cancel()


class _Reports:
    """What a step has reported last."""

    def __init__(self, step: str, listener: Listener) -> None:
        self._step, self._listener = step, listener
        self._detail, self._at = "still running", time.monotonic()
        self._waiting: dict[str, str] = {}

    def listen(self, event: Event) -> None:
        """Pass an event on."""
        self._at = time.monotonic()
        match event:
            case StepProgressed(detail=detail):
                self._detail = detail
            case ObjectProgressed(object=name, state=ObjectState.WAITING, detail=detail):
                self._waiting[name] = f"{name} ({detail})"
            case ObjectProgressed(object=name):
                self._waiting.pop(name, None)
        self._listener(event)

    async def repeat(self) -> None:
        """Repeat it whenever nothing was reported for a while."""
        while True:
            rest_s = self._at + REPEAT_S - time.monotonic()
            if rest_s <= 0:
                names = ", ".join(list(self._waiting.values())[:MOST_NAMED])
                detail = f"waiting for {names}" if names else self._detail
                self._at = time.monotonic()
                self._listener(StepProgressed(self._step, detail))
            else:
                await asyncio.sleep(rest_s)


def message_of(error: BaseException) -> str:
    """The message of an error; for a foreign exception its repr."""
    return str(getattr(error, "message", repr(error)))


def first_error(error: BaseException) -> BaseException:
    """The first error in nested exception groups; a VrooliError takes precedence."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [first_error(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, VrooliError)), leaves[0])
