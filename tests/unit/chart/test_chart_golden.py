"""Golden files: a difference is shown as a diff, and an update accepts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import golden


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the chart for changes."""
    copied = tmp_path / "k8s" / "chart"
    shutil.copytree(project.chart_dir(), copied)
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path))
    return copied


def test_a_changed_value_is_shown_as_a_diff_and_update_accepts_it(copy: Path) -> None:
    golden.update("default")
    assert golden.difference("default") == ""
    values = copy / "values.yaml"
    values.write_text(values.read_text().replace("logLevel: info", "logLevel: debug"))
    shown = golden.difference("default").splitlines()
    assert "-  LOG_LEVEL: info" in shown
    assert "+  LOG_LEVEL: debug" in shown
    assert golden.update("default") is True
    assert golden.difference("default") == ""
    assert golden.update("default") is False


def test_a_missing_golden_file_differs_in_every_line(copy: Path) -> None:
    (copy / "tests" / "golden" / "prod.yaml").unlink()
    assert all(line.startswith(("+", "-", "@@")) for line in golden.difference("prod").splitlines())


def test_multiline_strings_stay_readable(copy: Path) -> None:
    assert "args:\n    - |\n      import json" in golden.render("default")
