"""Writes one JSON object per line to standard output.

Events are written when they happen; the last line is the result or the error. The models are
documented in docs/interface.md; fields are added, never removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TextIO

from pydantic import Field, SerializeAsAny

from vrooli.errors import InterruptError, VrooliError
from vrooli.events import (
    Event,
    LogLine,
    ObjectProgressed,
    ObjectState,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from vrooli.workflows.results.base import Model, Result, StepResult

if TYPE_CHECKING:
    from rich.console import Console


class Line(Model):
    """What every line has."""

    time: datetime = Field(description="when, UTC, ISO 8601")


class StartedLine(Line):
    """A step began to work."""

    type: Literal["step-started"] = Field("step-started", description="the kind of line")
    step: str = Field(description="the step's short, stable name")
    title: str = Field(description="what a person reads")


class ProgressLine(Line):
    """A running step has something to say."""

    type: Literal["step-progress"] = Field("step-progress", description="the kind of line")
    step: str = Field(description="the step's short, stable name")
    detail: str = Field(description="what it does now")
    remaining_s: float | None = Field(description="an estimate of the seconds left, or null")


class EndedLine(Line, StepResult):
    """A step ended."""

    type: Literal["step-ended"] = Field("step-ended", description="the kind of line")


class ObjectLine(Line):
    """An object of a release that a step follows, whenever what is to say of it has changed."""

    type: Literal["object"] = Field("object", description="the kind of line")
    step: str = Field(description="the step's short, stable name")
    object: str = Field(description="the object's kind and name")
    state: ObjectState = Field(description="waiting, ready or failed")
    detail: str = Field(description="what it has or lacks, its pods' reasons included")


class LoggedLine(Line):
    """A line of a log, from `logs` and `cluster logs`."""

    type: Literal["log"] = Field("log", description="the kind of line")
    source: str = Field(description="the pod or process that wrote it")
    text: str = Field(description="the line")


class ResultLine(Line):
    """The last line of a run that came to its end."""

    type: Literal["result"] = Field("result", description="the kind of line")
    result: SerializeAsAny[Result] = Field(description="the command's result model")


class ErrorLine(Line):
    """The last line of a run that failed."""

    type: Literal["error"] = Field("error", description="the kind of line")
    message: str = Field(description="what happened, and where")
    advice: str = Field(description="what can be done about it; may be empty")
    exit_code: int = Field(description="the process's exit code")


class JsonLines:
    """Writes each event and the result as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def listen(self, event: Event) -> None:
        """Write an event."""
        self._write(line_of(event))

    def close(self) -> None:
        """Do nothing: there is nothing to clean up."""

    def result(self, result: Result, show: Callable[[Console], None]) -> None:
        """Write the result."""
        del show
        self._write(ResultLine(time=_now(), result=result))

    def error(self, error: VrooliError) -> None:
        """Write an error."""
        self._write(
            ErrorLine(
                time=_now(),
                message=error.message,
                advice=error.advice,
                exit_code=error.exit_code,
            )
        )

    def _write(self, line: Line) -> None:
        try:
            self._stream.write(line.model_dump_json() + "\n")
            self._stream.flush()
        except BrokenPipeError as error:
            # Discard all further output, including the flush at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise InterruptError("The reader of the output has closed the pipe.") from error


def line_of(event: Event) -> Line:
    """Return the line of an event."""
    match event:
        case StepStarted(step, title):
            return StartedLine(time=_now(), step=step, title=title)
        case StepProgressed(step, detail, remaining_s):
            return ProgressLine(time=_now(), step=step, detail=detail, remaining_s=remaining_s)
        case StepEnded():
            return EndedLine(time=_now(), **StepResult.of(event).model_dump())
        case ObjectProgressed(step, name, state, detail):
            return ObjectLine(time=_now(), step=step, object=name, state=state, detail=detail)
        case LogLine(source, text):
            return LoggedLine(time=_now(), source=source, text=text)


def _now() -> datetime:
    return datetime.now(UTC)
