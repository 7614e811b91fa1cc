"""The chart renders what the golden files say, and lint has nothing against it."""

from __future__ import annotations

import os

import pytest

from vrooli.chart import engine, golden


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
    found = engine.lint(golden.settings(case))
    assert [message for message in found if message.severity > engine.Severity.INFO] == []


@pytest.mark.parametrize("case", golden.FEATURES)
def test_a_features_golden_file_says_what_the_feature_changes(case: str) -> None:
    text = (golden.folder() / f"{case}.yaml").read_text()
    assert text
    assert len(text) < len((golden.folder() / "default.yaml").read_text())


def test_no_golden_file_and_no_feature_is_forgotten() -> None:
    features = golden.folder().parent / "features"
    assert {path.stem for path in features.iterdir()} == set(golden.FEATURES)
    assert {path.stem for path in golden.folder().iterdir()} == set(golden.CASES)
