"""YAML that Helm and kubectl read as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vrooli.chart import values, yaml_text

AMBIGUOUS = (
    *("y", "N", "1e3", "12e4", "+1", "0o17", "1_000", ".5", "3."),
    *("0X1F", "0B101", "0O17", "-0o17", "1e1_0", "-_1", "0_x1F"),
)


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_text_that_go_reads_as_something_else_is_quoted(text: str, tmp_path: Path) -> None:
    written = yaml_text.dump({"key": text})
    assert written == f"key: '{text}'\n"
    path = tmp_path / "values.yaml"
    path.write_text(written)
    assert values.read(path) == {"key": text}
    path.write_text(f"key: {text}\n")
    # Helm reads y and n as texts, and kubectl as booleans.
    assert text in ("y", "N") or values.read(path) != {"key": text}


@pytest.mark.parametrize("text", ["yes-we-can", "100m", "5Gi", "1.2.3", "e3", "node"])
def test_another_text_is_not(text: str) -> None:
    assert yaml_text.dump({"key": text}) == f"key: {text}\n"


def test_texts_of_several_lines_are_blocks_and_equal_parts_are_repeated() -> None:
    part = {"a": "1\n2\n"}
    written = yaml_text.dump({"one": part, "two": part})
    assert written == "one:\n  a: |\n    1\n    2\ntwo:\n  a: |\n    1\n    2\n"
    assert yaml.safe_load(written) == {"one": part, "two": part}
