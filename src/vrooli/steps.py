"""Idempotent steps, run at once where they don't depend on each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from vrooli.errors import VrooliError
from vrooli.events import Event, Listener, Outcome, Progress, StepEnded, StepStarted


@dataclass(frozen=True)
class Done:
    """What a step did: whether it changed anything, and one line about it."""

    changed: bool
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a workflow.

    It looks first, acts if needed, and may be run again at any time.

    Attributes:
        name: Short and stable, part of the JSON output.
        title: What a person reads.
        ensure: Does the work.
        after: Names of the steps that must have ended well before it starts.
    """

    name: str
    title: str
    ensure: Callable[[Progress], Awaitable[Done]]
    after: tuple[str, ...] = field(default=())


async def run_steps(steps: Sequence[Step], listener: Listener) -> list[StepEnded]:
    """Run the steps, each as soon as those it stands on have ended.

    The first failure cancels what still runs; its error is raised when all of it has ended.

    Raises:
        VrooliError: The first step's error.
    """
    finished = {step.name: asyncio.Event() for step in steps}
    unknown = {name for step in steps for name in step.after} - finished.keys()
    if unknown:
        raise ValueError(f"steps stand on unknown steps: {sorted(unknown)}")
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
        done = await step.ensure(Progress(step.name, report))
    except asyncio.CancelledError:
        report(ended(Outcome.CANCELLED, "cancelled"))
        raise
    except (Exception, BaseExceptionGroup) as raised:
        # What a step does at once fails as a group; its first error speaks for it.
        error = first_error(raised)
        report(ended(Outcome.FAILED, message_of(error)))
        raise error from raised
    report(ended(Outcome.CHANGED if done.changed else Outcome.UNCHANGED, done.detail))


def message_of(error: BaseException) -> str:
    """What an error says; one that isn't ours says what it is, too."""
    return str(getattr(error, "message", repr(error)))


def first_error(error: BaseException) -> BaseException:
    """The first error that isn't a group of others; one of ours before any other."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [first_error(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, VrooliError)), leaves[0])
