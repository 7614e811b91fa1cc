"""The chart renders its golden files and passes lint."""

from __future__ import annotations

import os

import pytest

from vrooli.chart import engine, golden


@pytest.mark.parametrize("case", golden.CASES)
def test_the_chart_renders_its_golden_file(case: str) -> None:
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        golden.update(case)
    difference = golden.difference(case)
    assert not difference, (
        f"the rendered chart differs from its golden file; if this is intended, run\n"
        f"  bash k8s/chart/tests/test-golden-files.sh --update\n{difference}"
    )


@pytest.mark.parametrize("case", golden.CASES)
def test_strict_lint_has_no_warnings(case: str) -> None:
    messages = engine.lint(golden.settings(case))
    assert [message for message in messages if message.severity > engine.Severity.INFO] == []


@pytest.mark.parametrize("case", golden.FEATURES)
def test_a_features_golden_file_has_only_its_changes(case: str) -> None:
    text = (golden.folder() / f"{case}.yaml").read_text()
    assert text
    assert len(text) < len((golden.folder() / "default.yaml").read_text())


def test_golden_files_and_features_match_the_cases() -> None:
    features = golden.folder().parent / "features"
    assert {path.stem for path in features.iterdir()} == set(golden.FEATURES)
    assert {path.stem for path in golden.folder().iterdir()} == set(golden.CASES)
