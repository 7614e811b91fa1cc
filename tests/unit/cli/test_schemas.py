"""The JSON schemas of all commands: complete, up to date, and valid for real output."""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from vrooli import project
from vrooli.cli import schemas
from vrooli.cli.app import app
from vrooli.cli.terminal.jsonlines import JsonLines
from vrooli.errors import PrerequisiteError
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
from vrooli.workflows.results.base import Result
from vrooli.workflows.results.clusters import ClusterListResult, ClusterView

# JSON has no infinity and no NaN, and no duration has them.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
# Results contain lists of lists: with the usual sizes, one result has hundreds of objects.
MOST_ITEMS, MOST_CHARACTERS = 2, 20
st.register_type_strategy(str, st.text(max_size=MOST_CHARACTERS))
st.register_type_strategy(tuple, lambda kind: _tuples(*get_args(kind)))
for model in schemas.result_models():
    model.model_rebuild()  # until then, Hypothesis sees no fields
CLUSTER = ClusterView(name="x", kind="embedded", state="running")
FOLDER = project.root() / "docs" / "schemas"
EVENTS: tuple[Event, ...] = (
    StepStarted("images", "Images"),
    StepProgressed("images", "layer 1", 9.5),
    StepProgressed("images", "layer 1"),
    StepEnded("images", "Images", Outcome.CHANGED, 1.5, "built 3"),
    ObjectProgressed("healthy", "Deployment/a", ObjectState.WAITING, "0 of 1 pods are ready"),
    LogLine("pod", "a line"),
)


def _tuples(item: Any, *rest: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of a type: of any length up to the limit, or of one type for each place."""
    if rest == (Ellipsis,):
        return st.lists(st.from_type(item), max_size=MOST_ITEMS).map(tuple)
    return st.tuples(*map(st.from_type, (item, *rest)))


def _commands(words: tuple[str, ...], command: Any) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children is None:
        if any(param.name == "output" for param in command.params):
            yield " ".join(words)
        return
    for name, child in children.items():
        yield from _commands((*words, name), child)


@functools.cache
def _validator(command: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / schemas.file_name(command)).read_text())
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _result_line(result: Result) -> dict[str, Any]:
    stream = io.StringIO()
    JsonLines(stream).result(result, lambda _, console: None)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_every_command_with_output_has_result_models() -> None:
    assert set(_commands((), typer.main.get_command(app))) == set(schemas.RESULTS)


@pytest.mark.parametrize("command", schemas.RESULTS)
def test_the_schema_file_is_up_to_date(command: str) -> None:
    path = FOLDER / schemas.file_name(command)
    schema = json.dumps(schemas.build_schema(command), indent=2) + "\n"
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(schema)
    assert path.read_text() == schema
    Draft202012Validator.check_schema(json.loads(schema))


def test_there_is_no_schema_of_an_unknown_command() -> None:
    expected = {schemas.file_name(command) for command in schemas.RESULTS}
    assert {path.name for path in FOLDER.iterdir()} == expected


@pytest.mark.parametrize("command", schemas.RESULTS)
def test_events_and_errors_are_valid(command: str) -> None:
    stream = io.StringIO()
    lines = JsonLines(stream)
    for event in EVENTS:
        lines.listen(event)
    lines.error(PrerequisiteError("No cluster is running.", "Start it."))
    for line in stream.getvalue().splitlines():
        _validator(command).validate(json.loads(line))


# The commands of each model.
COMMANDS = {
    model: [command for command, its in schemas.RESULTS.items() if model in its]
    for models in schemas.RESULTS.values()
    for model in models
}


@pytest.mark.parametrize("model", COMMANDS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_result_is_valid_for_its_commands(model: type[Result], data: st.DataObject) -> None:
    line = _result_line(data.draw(st.from_type(model)))
    for command in COMMANDS[model]:
        _validator(command).validate(line)


@pytest.mark.parametrize(
    "change", [{"schema_version": 2}, {"time": None}, {"type": "unknown"}, {"result": {"ok": 1}}]
)
def test_a_changed_line_is_invalid(change: dict[str, Any]) -> None:
    line = _result_line(ClusterListResult(clusters=(CLUSTER,)))
    assert _validator("cluster list").is_valid(line)
    assert not _validator("cluster list").is_valid({**line, **change})


def test_a_line_with_an_added_field_is_valid() -> None:
    line = _result_line(ClusterListResult(clusters=(CLUSTER,)))
    assert _validator("cluster list").is_valid({**line, "added": 1})
