"""YAML that Helm and kubectl read as it was written."""

from __future__ import annotations

import pytest
import yaml

from vrooli.chart import yaml_text


@pytest.mark.parametrize("text", ["y", "N", "1e3", "12e45", "+1", "0o17", "1_000", ".5", "3."])
def test_a_text_that_go_reads_as_something_else_is_quoted(text: str) -> None:
    assert yaml_text.dump({"key": text}) == f"key: '{text}'\n"


@pytest.mark.parametrize("text", ["yes-we-can", "100m", "5Gi", "1.2.3", "e3", "node"])
def test_another_text_is_not(text: str) -> None:
    assert yaml_text.dump({"key": text}) == f"key: {text}\n"


def test_texts_of_several_lines_are_blocks_and_equal_parts_are_repeated() -> None:
    part = {"a": "1\n2\n"}
    written = yaml_text.dump({"one": part, "two": part})
    assert written == "one:\n  a: |\n    1\n    2\ntwo:\n  a: |\n    1\n    2\n"
    assert yaml.safe_load(written) == {"one": part, "two": part}
