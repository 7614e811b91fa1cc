"""Values files: parsing, validation and merging."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.project import chart_dir

DEV = ENVIRONMENTS["dev"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "line 1"),
        ("a: 1\n b: 2\n", "line 2"),
        ("a:\n\t- 1\n", "line 2"),
        ("- a\n- b\n", "contains a list"),
        ("just words", "contains a scalar"),
        ("a: 1\na: 2\n", 'duplicate key "a"'),
        ("a: *nothing\n", "line 1"),
    ],
)
def test_an_invalid_values_file_is_rejected_with_its_position(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        values.read(path)
    assert message in refused.value.message
    assert str(path) in refused.value.message
    assert refused.value.exit_code == 2


def test_a_rejection_does_not_quote_the_file(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("password: hunter2\npassword: hunter3\n")
    with pytest.raises(UsageError) as refused:
        values.read(path)
    assert "hunter" not in refused.value.message


def test_a_missing_or_binary_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        values.read(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        values.read(binary)


def test_an_empty_file_has_no_values(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# nothing yet\n")
    assert values.read(path) == {}


def test_maps_are_merged_and_other_values_are_replaced() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}
    over = {"a": {"c": [3]}, "d": None, "f": {"g": 2}}
    assert values.merge(base, over) == {"a": {"b": 1, "c": [3]}, "d": None, "f": {"g": 2}}
    assert base["a"] == {"b": 1, "c": [1, 2]}


def test_an_extra_file_takes_precedence(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("services: {ui: {tag: mine}}\n")
    merged = values.load(ENVIRONMENTS["dev"], [path])
    assert merged["services"]["ui"]["tag"] == "mine"
    assert merged["services"]["server"]["tag"] == "dev"


def test_null_stays_until_helm_removes_the_default(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("pgoPostgresql: {parameters: {max_connections: 7}}\n")
    second.write_text("pgoPostgresql: {parameters: {max_connections: null, work_mem: 8MB}}\n")
    merged = values.load(DEV, [first, second])
    objects = engine.render(merged, release=DEV.release, namespace=DEV.namespace)
    cluster = next(item for item in objects if item.kind == "PostgresCluster")
    patroni = cluster.body["spec"]["patroni"]["dynamicConfiguration"]
    parameters = patroni["postgresql"]["parameters"]
    assert "max_connections" not in parameters
    assert parameters["work_mem"] == "8MB"


@pytest.mark.parametrize(
    "value", ["=", "<<", "1:30", "2024-01-31", "0o14", "0755", "on", "y", "~", ".inf", "1e3", "1_0"]
)
def test_a_string_stays_the_same_through_rendering(value: str) -> None:
    supplied = {"services": {"ui": {"podAnnotations": {"example.com/a": value}}}}
    objects = engine.render(supplied, release=DEV.release, namespace=DEV.namespace)
    (ui,) = (item for item in objects if item.key == f"Deployment/{DEV.release}-ui")
    annotations = ui.body["spec"]["template"]["metadata"]["annotations"]
    assert annotations["example.com/a"] == value


def default_paths(below: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each default value of the chart."""
    for key, value in below.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from default_paths(value, (*path, key))


# A sample, since each one renders the chart.
@pytest.mark.parametrize(
    "path", [*default_paths(values.read(chart_dir() / "values.yaml"))][::25], ids=".".join
)
def test_null_for_any_default_removes_it_or_is_refused_by_its_key(path: tuple[str, ...]) -> None:
    *above, key = path
    supplied: dict[str, Any] = {key: None}
    for name in reversed(above):
        supplied = {name: supplied}
    try:
        engine.render(supplied, release=DEV.release, namespace=DEV.namespace)
    except UsageError as refused:
        assert refused.message.startswith("The chart rejects these values")
        assert key in refused.message
