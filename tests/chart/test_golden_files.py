"""The chart renders what the golden files say, and lint has nothing against it."""

from __future__ import annotations

import os

import pytest

from vrooli.chart import engine, golden, values
from vrooli.environments import ENVIRONMENTS


@pytest.mark.parametrize("case", golden.CASES)
def test_the_chart_renders_what_its_golden_file_holds(case: str) -> None:
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        golden.update(case)
    difference = golden.difference(case)
    assert not difference, (
        f"the chart renders something else; if that is meant, run\n"
        f"  bash k8s/chart/tests/test-golden-files.sh --update\n{difference}"
    )


@pytest.mark.parametrize("case", golden.CASES)
def test_strict_lint_finds_nothing_graver_than_a_hint(case: str) -> None:
    environment = ENVIRONMENTS.get(case)
    found = engine.lint(values.load(environment) if environment else {})
    assert [message for message in found if message.severity > engine.Severity.INFO] == []
