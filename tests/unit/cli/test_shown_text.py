"""Hostile text in every string of every event and result: the output has no such character."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel
from rich.console import Console

from vrooli import events
from vrooli.cli import check, diagnose, graph, grow, releases, scale, status
from vrooli.cli.terminal import tables
from vrooli.cli.terminal.console import ConsoleView
from vrooli.cli.terminal.jsonlines import JsonLines
from vrooli.errors import CommandError, VrooliError
from vrooli.workflows.results import base, clusters, findings, graphs
from vrooli.workflows.results import releases as release_results
from vrooli.workflows.results import status as status_results

HOSTILE = (
    "a\x1b[2J\x1b]8;;http://evil\x07[red]b[/red][link=http://evil]c[/link]\x9b31m\x7f\x00\r"
    "\u202e\u2066\u200b\ufeff\u00ad\u2028\n$ touch X\n  $ touch X\x85\u2029$ touch X\ud800"
)
SIMPLE = {
    str: HOSTILE,
    bool: False,
    int: 1,
    float: 1.0,
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
}
BAD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")

SHOWN: list[tuple[type[BaseModel], Callable[..., None]]] = [
    (status_results.StatusResult, status._show),
    (status_results.WatchResult, status._show_watched),
    (findings.DiagnoseResult, diagnose.show),
    (findings.CheckResult, lambda result, console: check._show(result, console, False)),
    (release_results.HistoryResult, releases._show_history),
    (release_results.RollbackResult, releases._show_rollback),
    (release_results.DiffResult, releases._show_diff),
    (release_results.ScaleResult, scale._show),
    (release_results.GrowResult, grow._show),
    (graphs.GraphResult, graph._show),
    (clusters.ClusterView, tables.show_cluster),
    (base.StepsResult, tables.show_steps),
]


def hostile(kind: Any) -> Any:
    """A value of a type in which every text is hostile."""
    if parts := get_args(kind):
        return _hostile_parts(get_origin(kind), parts)
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, BaseModel):
        return kind.model_construct(
            **{
                name: "add" if name == "action" else hostile(field.annotation)
                for name, field in kind.model_fields.items()
            }
        )
    return SIMPLE[kind]


def _hostile_parts(origin: Any, parts: tuple[Any, ...]) -> Any:
    if origin in (tuple, list):
        return origin([hostile(parts[0])])
    if origin is dict:
        return {hostile(parts[0]): hostile(parts[1])}
    return hostile(parts[0])  # a union or an annotated type


def assert_inert(output: str) -> None:
    assert output
    bad = {sign for sign in output if sign != "\n" and unicodedata.category(sign) in BAD}
    assert not bad, bad
    # No line of others begins like a command.
    assert not [line for line in output.splitlines() if line.strip().startswith("$ touch")]


def view(terminal: bool = False) -> tuple[ConsoleView, io.StringIO, io.StringIO]:
    progress, results = io.StringIO(), io.StringIO()
    return (
        ConsoleView(
            Console(file=progress, width=20_000, markup=False, force_terminal=terminal),
            Console(file=results, width=20_000, markup=False),
        ),
        progress,
        results,
    )


@pytest.mark.parametrize(("kind", "show"), SHOWN, ids=lambda item: getattr(item, "__name__", ""))
def test_a_result_is_shown_inert(kind: type[BaseModel], show: Callable[..., None]) -> None:
    shown, _, results = view()
    shown.result(hostile(kind), show)
    output = results.getvalue()
    if kind is graphs.GraphResult:
        # A drawing has lines: its renderer makes each label one line.
        output = output.replace("$ touch", "")
    assert_inert(output)
    assert "http://evil" not in output or "[link=http://evil]" in output


@pytest.mark.parametrize("kind", events.Event.__args__, ids=lambda kind: kind.__name__)
def test_an_event_is_shown_inert(kind: Any) -> None:
    shown, progress, results = view()
    hints = get_type_hints(kind)
    if kind in (events.StepProgressed, events.ObjectProgressed):
        shown._steps._began -= 100  # type: ignore[union-attr]
    shown.listen(kind(**{item.name: hostile(hints[item.name]) for item in fields(kind)}))
    assert_inert(progress.getvalue() + results.getvalue())


@pytest.mark.parametrize(
    "error", [VrooliError(HOSTILE, HOSTILE), CommandError(("x", HOSTILE), 1, HOSTILE)]
)
def test_an_error_is_shown_inert(error: VrooliError) -> None:
    shown, progress, _ = view()
    shown.error(error)
    output = progress.getvalue()
    assert not {sign for sign in output if sign != "\n" and unicodedata.category(sign) in BAD}
    assert not [line for line in output.splitlines() if line.startswith("$")]


@pytest.mark.parametrize("kind", [kind for kind, _ in SHOWN if issubclass(kind, base.Result)])
def test_json_has_the_text_and_no_control_character(kind: type[base.Result]) -> None:
    out = io.StringIO()
    result = hostile(kind)
    JsonLines(out).result(_without_surrogates(result), tables.show_empty)
    assert_inert(out.getvalue())
    assert HOSTILE.replace("\ud800", "") in set(_texts(json.loads(out.getvalue())))


def _without_surrogates(value: Any) -> Any:
    """Pydantic writes no surrogates, which no text of an API has."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace("\ud800", "")
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _without_surrogates(it) for name, it in value})
    if isinstance(value, (tuple, list)):
        return type(value)(map(_without_surrogates, value))
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
