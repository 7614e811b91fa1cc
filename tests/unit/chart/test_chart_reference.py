"""The table of values: what it reads from the comments, and how it stays as they are."""

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
    """A copy of k8s/ that may be changed."""
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
def test_a_row_shows_the_default_as_it_would_be_written(default: object, shown: str) -> None:
    assert Value(("a", "b"), default, "Says so").row == f"| `a.b` | `{shown}` | Says so |"


def test_a_changed_comment_is_a_difference_until_the_table_is_written_anew(copy: Path) -> None:
    reference.update()
    assert reference.difference() == ""
    path = copy / "chart" / "values.yaml"
    path.write_text(path.read_text().replace("# -- Number of UI pods", "# -- Count of UI pods"))
    assert "+| `replicaCount.ui` | `1` | Count of UI pods |" in reference.difference()
    assert reference.update() is True
    assert reference.difference() == ""
    assert reference.update() is False


def test_what_is_written_by_hand_stays(copy: Path) -> None:
    before = (copy / "README.md").read_text()
    path = copy / "chart" / "values.yaml"
    path.write_text(path.read_text().replace("# -- Number of UI pods", "# -- Count of UI pods"))
    reference.update()
    after = (copy / "README.md").read_text()
    for mark, side in ((reference.BEGIN, 0), (reference.END, 2)):
        assert after.partition(mark)[side] == before.partition(mark)[side]


def test_a_readme_without_the_marks_is_refused(copy: Path) -> None:
    (copy / "README.md").write_text("nothing here\n")
    with pytest.raises(UsageError, match="no place for the table"):
        reference.difference()
