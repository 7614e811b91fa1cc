"""A values file means what it means to Helm, or is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import helm_python
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vrooli.chart import values
from vrooli.errors import UsageError

# Text whose meaning differs between versions of YAML, or that a parser may refuse.
SCALARS = (
    *("on", "Off", "yes", "NO", "y", "n", "true", "~", "null", "Null", "", "=", "<<"),
    *("0755", "0o14", "08", "0x1F", "0b101", "1_000", "0777_7", "-0", "+5", "1__0", "0o8"),
    *("12e4567", "1e3", "1.", ".5", "1.10", "1e400", "1e-400", ".inf", "-.INF", ".nan", "1e21"),
    *("1:30", "12:30:45", "2024-01-31", "2024-01-31T10:00:00Z", "2024-1-3"),
    *("123456789012345678", "9007199254740993", "9007199254740991", "1234567", "0xFFFFFFFFFFFFFF"),
    *("!!binary aGk=", "!!str 1", "!!int '5'", "!!set {x, y}", "!custom 5", "!!float .inf"),
    *(
        "'on'",
        '"0755"',
        '"\\u00e9\\x41"',
        '"\\ud83d"',
        "[1, on]",
        "{on: 1, b: .inf}",
        "{a: 1, a: 2}",
    ),
    *("&a [1]", "*a", "{<<: *b, c: on}", "{<<: 1}", "a: b", "@x", "|\n  0755\n", ">-\n  on\n  off"),
)


def rendered_by_helm(folder: Path, text: str) -> Any:
    """The values of a chart with this text as its values.yaml, as its template writes them."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: probe\nversion: 0.1.0\n")
    (folder / "templates" / "values.txt").write_text("{{ toJson .Values }}")
    (folder / "values.yaml").write_text(text, newline="")
    with helm_python.Chart.load(folder) as chart:
        return json.loads(chart.render({})["probe/templates/values.txt"])


def without_null(value: Any) -> Any:
    """A value as in a chart's defaults, of which Helm removes null."""
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def outcome(folder: Path, text: str) -> str:
    """Read a text; returns the refusal, or nothing after a comparison with Helm."""
    path = folder / "mine.yaml"
    path.write_text(text, newline="")
    try:
        ours = values.read(path)
    except UsageError as refused:
        return refused.message
    helms = rendered_by_helm(folder, text)
    # JSON distinguishes true from 1, which Python does not.
    assert json.dumps(without_null(ours), sort_keys=True) == json.dumps(helms, sort_keys=True)
    return ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", True),
        ("yes", True),
        ("0755", 493),
        ("0o14", 12),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("12e4567", "12e4567"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("9007199254740991", 9007199254740991),
    ],
)
def test_a_scalar_has_the_meaning_of_helm(tmp_path: Path, text: str, expected: object) -> None:
    assert outcome(tmp_path, f"key: {text}\n") == ""
    value = values.read(tmp_path / "mine.yaml")["key"]
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  id: 123456789012345678\n", "line 2, column 7: a.id: Helm rounds"),
        ("a:\n  ids: [1, 9007199254740993]\n", "line 2, column 12: a.ids.1: Helm rounds"),
        ("a: 1\nb: .inf\n", "line 2, column 4: b: Helm cannot read"),
        ("a: !!binary aGk=\n", "line 1, column 4: a: the tag !!binary"),
        ("a: &x !!set {b}\n", "line 1, column 4: a: the tag !!set"),
        ('a: "\\ud83d"\n', "line 1, column 4"),
        ("a: {b: 1,\n  b: 2}\n", 'line 2, column 3: a: duplicate key "b"'),
        ("on: 1\ntrue: 2\n", 'line 2, column 1: duplicate key "true"'),
        ("1: x\n'1': y\n", 'line 2, column 1: duplicate key "1"'),
        ("a: 1\nnull: 2\n", "line 2, column 1: a key is not a string"),
        ("? [a]\n: 1\n", "line 1, column 3: a key is not a string"),
        ("a: {<<: 1}\n", "line 1, column 5: a: only a mapping can be merged"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: a second document"),
        ("%YAML 1.2\n---\na: on\n", "line 1: Helm reads YAML 1.1"),
        ("a: 'x\0'\n", "special characters"),
        ("a: " + "[" * 1500, "nested too deeply"),
    ],
)
def test_what_helm_would_change_silently_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    assert message in outcome(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa: on\n",
        "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
        "---\na: 1\n...\n",
        "x: &x {b: 1}\na: {<<: *x, b: 2}\nc: {b: 3, <<: *x}\n",
        "a: {<<: [{b: 1}, {b: 2, c: 3}]}\n",
        "a: &x 1\nb: &x 2\nc: *x\n",
        "a: [x\ny, z]\n",
        "? a\n: 1\n",
        "# nothing\n",
    ],
)
def test_marks_line_ends_anchors_and_merges_are_read_as_by_helm(tmp_path: Path, text: str) -> None:
    assert outcome(tmp_path, text) == ""


@settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    items=st.lists(
        st.sampled_from(SCALARS) | st.text("0123456789_.:eEoxb+-~nyofTZ ", max_size=12),
        min_size=1,
        max_size=4,
    ),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_is_read_as_by_helm_or_refused(
    tmp_path: Path, items: list[str], ends: str
) -> None:
    lines = ["b: &b {d: 1}", *(f"key{index}: {item}" for index, item in enumerate(items))]
    refusal = outcome(tmp_path, ends.join([*lines, ""]))
    assert refusal == "" or "line" in refusal
