"""The events that a workflow reports. The console and the JSON lines are two listeners.

No I/O here: output belongs in the listeners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a step."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class StepStarted:
    """A step started."""

    step: str
    title: str


@dataclass(frozen=True)
class StepProgressed:
    """A running step reports its progress.

    Attributes:
        step: The step's name.
        detail: What it is doing now, one line.
        remaining_s: The estimated remaining time, seconds; None if unknown.
    """

    step: str
    detail: str
    remaining_s: float | None = None


@dataclass(frozen=True)
class StepEnded:
    """A step ended.

    Attributes:
        step: The step's name.
        title: Its title.
        outcome: Its outcome.
        elapsed_s: Its duration, seconds.
        detail: Its result, or why it failed.
    """

    step: str
    title: str
    outcome: Outcome
    elapsed_s: float
    detail: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line of a component's log that the user requested.

    Attributes:
        source: The pod or process that wrote it.
        text: The line, without its end.
        component: The component that the source belongs to, for its colour; empty if there is none.
    """

    source: str
    text: str
    component: str = ""


class ObjectState(StrEnum):
    """The rollout state of an object."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class ObjectProgressed:
    """The rollout state or the detail of an object of a release has changed.

    Attributes:
        step: The step's name.
        object: The object's kind and name.
        state: Its rollout state.
        detail: Its progress as text, with the reasons of its pods.
    """

    step: str
    object: str
    state: ObjectState
    detail: str


Event = StepStarted | StepProgressed | StepEnded | ObjectProgressed | LogLine
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """The listener that ignores everything."""


@dataclass(frozen=True)
class Progress:
    """Reports the progress of one step to a listener."""

    step: str = "-"
    listener: Listener = field(default=silent)

    def report(self, detail: str, remaining_s: float | None = None) -> None:
        """Report the current action and, if known, the remaining time in seconds."""
        self.listener(StepProgressed(self.step, detail, remaining_s))

    def show(self, name: str, state: ObjectState, detail: str) -> None:
        """Report the rollout state of an object."""
        self.listener(ObjectProgressed(self.step, name, state, detail))
