"""Writes one JSON object per line to standard output.

Events are written when they happen; the last line is the result or the error. The models are
documented in docs/interface.md, and each command's lines in docs/schemas.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TextIO, TypeVar

from pydantic import Field, SerializeAsAny

from vrooli import inert
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

R = TypeVar("R", bound=Result)

# Raised when a field is removed or changes its name, type or meaning; not when fields are added.
SCHEMA_VERSION: Literal[1] = 1


class Line(Model):
    """The fields of every line."""

    schema_version: Literal[1] = Field(
        SCHEMA_VERSION, description="the version of the schema of all lines and results"
    )
    time: datetime = Field(description="when the line was written, UTC, ISO 8601")


class StartedLine(Line):
    """A step started."""

    type: Literal["step-started"] = Field("step-started", description="the type of the line")
    step: str = Field(description="the stable name of the step")
    title: str = Field(description="the title of the step, for people")


class ProgressLine(Line):
    """A running step reports progress."""

    type: Literal["step-progress"] = Field("step-progress", description="the type of the line")
    step: str = Field(description="the stable name of the step")
    detail: str = Field(description="what the step does now")
    remaining_s: float | None = Field(description="the estimated remaining time, seconds, or null")


class EndedLine(Line, StepResult):
    """A step ended."""

    type: Literal["step-ended"] = Field("step-ended", description="the type of the line")


class ObjectLine(Line):
    """The state of an object of the release changed."""

    type: Literal["object"] = Field("object", description="the type of the line")
    step: str = Field(description="the stable name of the step")
    object: str = Field(description="the kind and name of the object")
    state: ObjectState = Field(description="waiting, ready or failed")
    detail: str = Field(description="the state of the object and the reasons of its pods")


class LoggedLine(Line):
    """A log line, from `logs` and `cluster logs`."""

    type: Literal["log"] = Field("log", description="the type of the line")
    source: str = Field(description="the pod or process that wrote the log line")
    text: str = Field(description="the log line")
    component: str = Field("", description="the component of the pod; empty for other sources")


class ResultLine(Line):
    """The last line of a command that completed."""

    type: Literal["result"] = Field("result", description="the type of the line")
    result: SerializeAsAny[Result] = Field(description="the result of the command")


class ErrorLine(Line):
    """The last line of a command that failed."""

    type: Literal["error"] = Field("error", description="the type of the line")
    message: str = Field(description="what happened")
    advice: str = Field(description="what to do next, or empty")
    exit_code: int = Field(description="the exit code of the command")


class JsonLines:
    """Writes each event and the result as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def listen(self, event: Event) -> None:
        """Write an event."""
        self._write(line_of(event))

    def close(self) -> None:
        """Do nothing: there is nothing to clean up."""

    def result(self, result: R, show: Callable[[R, Console], None]) -> None:
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
            self._stream.write(inert.json(line.model_dump_json()) + "\n")
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
        case LogLine(source, text, component):
            return LoggedLine(time=_now(), source=source, text=text, component=component)


def _now() -> datetime:
    return datetime.now(UTC)
