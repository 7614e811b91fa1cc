"""The chart renders its golden files and passes lint."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import engine, golden

SCRIPT = Path("tests/test-golden-files.sh")


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


def test_the_script_runs_tests_that_exist_and_nothing_else() -> None:
    script = project.chart_dir() / SCRIPT
    named = re.findall(r"(test_\w+\.py)(?:::(\w+))?", script.read_text())
    assert [file for file, _ in named] == [Path(__file__).name, "test_values_schema.py"]
    for file, test in named:
        assert f"def {test}" in Path(__file__).with_name(file).read_text()
    done = subprocess.run(["bash", script, "--all"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: test-golden-files.sh [--update]\n")
