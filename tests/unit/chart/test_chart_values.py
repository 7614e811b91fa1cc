"""Values files: what is read, what is refused, how they are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "line 1"),
        ("a: 1\n b: 2\n", "line 2"),
        ("a:\n\t- 1\n", "line 2"),
        ("- a\n- b\n", "holds a list"),
        ("just words", "holds a str"),
        ("a: 1\na: 2\n", 'duplicate key "a"'),
        ("a: *nothing\n", "line 1"),
    ],
)
def test_a_file_that_holds_no_values_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        values.read(path)
    assert said in refused.value.message
    assert str(path) in refused.value.message
    assert refused.value.exit_code == 2


def test_a_refusal_does_not_repeat_the_files_text(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("password: hunter2\npassword: hunter3\n")
    with pytest.raises(UsageError) as refused:
        values.read(path)
    assert "hunter" not in refused.value.message


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        values.read(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        values.read(binary)


def test_an_empty_file_holds_no_values(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# nothing yet\n")
    assert values.read(path) == {}


def test_maps_are_merged_and_everything_else_is_replaced() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}
    over = {"a": {"c": [3]}, "d": None, "f": {"g": 2}}
    assert values.merge(base, over) == {"a": {"b": 1, "c": [3]}, "d": None, "f": {"g": 2}}
    assert base["a"] == {"b": 1, "c": [1, 2]}


def test_an_extra_file_wins_over_the_environments_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("services: {ui: {tag: mine}}\n")
    found = values.load(ENVIRONMENTS["dev"], [path])
    assert found["services"]["ui"]["tag"] == "mine"
    assert found["services"]["server"]["tag"] == "dev"
