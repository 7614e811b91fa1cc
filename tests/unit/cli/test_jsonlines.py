"""What a machine reads: one JSON object per line, in the documented models."""

from __future__ import annotations

import io
import json
import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from vrooli.cli.terminal.jsonlines import JsonLines
from vrooli.errors import InterruptError
from vrooli.events import (
    Event,
    LogLine,
    ObjectProgressed,
    ObjectState,
    Outcome,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from vrooli.workflows.results.base import Model, StepResult
from vrooli.workflows.results.releases import DevelopResult

EVENTS: list[tuple[Event, dict[str, Any]]] = [
    (
        StepStarted("images", "Images"),
        {"type": "step-started", "step": "images", "title": "Images"},
    ),
    (
        StepProgressed("images", "layer 1", 9.5),
        {"type": "step-progress", "step": "images", "detail": "layer 1", "remaining_s": 9.5},
    ),
    (
        StepProgressed("images", "layer 1"),
        {"type": "step-progress", "step": "images", "detail": "layer 1", "remaining_s": None},
    ),
    (
        StepEnded("images", "Images", Outcome.CHANGED, 1.23456, "built 3"),
        {
            "type": "step-ended",
            "step": "images",
            "title": "Images",
            "outcome": "changed",
            "elapsed_s": 1.235,
            "detail": "built 3",
        },
    ),
    (
        ObjectProgressed("healthy", "Deployment/a", ObjectState.WAITING, "0 of 1 pods are ready"),
        {
            "type": "object",
            "step": "healthy",
            "object": "Deployment/a",
            "state": "waiting",
            "detail": "0 of 1 pods are ready",
        },
    ),
    (
        LogLine("pod", "a\tb", "ui"),
        {"type": "log", "source": "pod", "text": "a\tb", "component": "ui"},
    ),
]


@pytest.mark.parametrize(("event", "line"), EVENTS, ids=lambda value: type(value).__name__)
def test_an_event_is_a_line_with_its_time(event: Event, line: dict[str, Any]) -> None:
    stream = io.StringIO()
    JsonLines(stream).listen(event)
    assert stream.getvalue().count("\n") == 1
    read = json.loads(stream.getvalue())
    assert datetime.fromisoformat(read.pop("time")).utcoffset() == timedelta(0)
    assert read.pop("schema_version") == 1
    assert read == line


def test_a_line_break_in_a_detail_stays_inside_its_line() -> None:
    stream = io.StringIO()
    JsonLines(stream).listen(StepProgressed("a", "one\ntwo"))
    assert stream.getvalue().count("\n") == 1


def test_the_result_has_every_field_of_its_own_model() -> None:
    step = StepResult(step="a", title="A", outcome=Outcome.CHANGED, elapsed_s=1.0, detail="")
    result = DevelopResult(
        changed=True,
        elapsed_s=1.0,
        steps=(step,),
        environment="dev",
        release="vrooli-dev",
        namespace="dev",
        cluster="embedded:vrooli",
        kubeconfig="/k",
        urls={"ui": "http://127.0.0.1:28080"},
    )
    stream = io.StringIO()
    JsonLines(stream).result(result, lambda _, console: None)
    line = json.loads(stream.getvalue())
    assert line["type"] == "result"
    assert line["result"] == json.loads(result.model_dump_json())
    assert DevelopResult.model_validate(line["result"]) == result


def _models(base: type[Model]) -> list[type[Model]]:
    return [result for sub in base.__subclasses__() for result in (sub, *_models(sub))]


@pytest.mark.parametrize("model", _models(Model), ids=lambda model: model.__name__)
def test_every_field_that_goes_out_reports_what_it_means(model: type[Model]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_a_reader_that_went_unreachable_ends_the_run_and_what_follows_goes_nowhere() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        lines = JsonLines(stream)
        with pytest.raises(InterruptError, match="has closed the pipe") as missing:
            lines.listen(LogLine("pod", "a line"))
        lines.error(missing.value)
