"""What a workflow reports while it works. The console and the JSON lines are two listeners.

No I/O here: a listener decides what becomes of an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class StepStarted:
    """A step began to work."""

    step: str
    title: str


@dataclass(frozen=True)
class StepProgressed:
    """A running step has something to say.

    Attributes:
        step: The step's name.
        detail: What it is doing now, one line.
        remaining_s: An honest estimate of the seconds that are left, when there is one.
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
        outcome: How it ended.
        elapsed_s: How long it worked, seconds.
        detail: What it found or did, or why it failed.
    """

    step: str
    title: str
    outcome: Outcome
    elapsed_s: float
    detail: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line of a component's log, which the person asked to read.

    Attributes:
        source: The pod or process that wrote it.
        text: The line, without its end.
    """

    source: str
    text: str


class ObjectState(StrEnum):
    """How far an object of a release is on its way to ready."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class ObjectProgressed:
    """An object of a release that a step follows, whenever what is to say of it has changed.

    Attributes:
        step: The step's name.
        object: The object's kind and name.
        state: How far it is.
        detail: What it has or lacks, in words; its pods' reasons included.
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
    """What a step is given to report with: it knows which step speaks."""

    step: str = "-"
    listener: Listener = field(default=silent)

    def report(self, detail: str, remaining_s: float | None = None) -> None:
        """Report what the step does now and, if known, the seconds that are left."""
        self.listener(StepProgressed(self.step, detail, remaining_s))

    def show(self, name: str, state: ObjectState, detail: str) -> None:
        """Report how far an object is."""
        self.listener(ObjectProgressed(self.step, name, state, detail))
