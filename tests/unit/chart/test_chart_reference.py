"""The table of values: parsing of the comments, differences and updates."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import reference
from vrooli.chart.reference import Value
from vrooli.errors import UsageError


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of k8s/ for changes."""
    copied = tmp_path / "k8s"
    shutil.copytree(project.chart_dir().parent, copied)
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path))
    return copied


def test_a_comment_belongs_to_the_key_below_it() -> None:
    text = "a:\n  # -- First\n  b: 1\n  # other\n  c:\n    # -- Second\n    .d: 2\ne: 3\n"
    assert reference.parse_descriptions(text) == {("a", "b"): "First", ("a", "c", ".d"): "Second"}


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        (True, "true"),
        ("", '""'),
        ([], "[]"),
        ("a|b", "a\\|b"),
        ({"cpu": "5m"}, '{"cpu": "5m"}'),
        ("two\nlines", "see values.yaml"),
        ("x" * 101, "see values.yaml"),
    ],
)
def test_a_row_shows_the_default_as_yaml(default: object, shown: str) -> None:
    assert Value(("a", "b"), default, "Says so").row == f"| `a.b` | `{shown}` | Says so |"


def test_a_changed_comment_differs_until_the_update(copy: Path) -> None:
    reference.update()
    assert reference.difference() == ""
    path = copy / "chart" / "values.yaml"
    path.write_text(path.read_text().replace("# -- Number of UI pods", "# -- Count of UI pods"))
    assert "+| `replicaCount.ui` | `1` | Count of UI pods |" in reference.difference()
    assert reference.update() is True
    assert reference.difference() == ""
    assert reference.update() is False


def test_text_outside_the_marks_is_preserved(copy: Path) -> None:
    before = (copy / "README.md").read_text()
    path = copy / "chart" / "values.yaml"
    path.write_text(path.read_text().replace("# -- Number of UI pods", "# -- Count of UI pods"))
    reference.update()
    after = (copy / "README.md").read_text()
    for mark, side in ((reference.BEGIN, 0), (reference.END, 2)):
        assert after.partition(mark)[side] == before.partition(mark)[side]


def test_a_readme_without_the_marks_is_rejected(copy: Path) -> None:
    (copy / "README.md").write_text("nothing here\n")
    with pytest.raises(UsageError, match="no marker lines for the table"):
        reference.difference()
