"""What is said of the source an artifact is made from."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from vrooli.artifact.model import ArtifactSource
from vrooli.errors import UsageError
from vrooli.workflows.artifacts.git_metadata import source


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root" / "k8s" / "chart").mkdir(parents=True)
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def _git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def _source() -> ArtifactSource:
    return asyncio.run(source())


def _unknown(result: ArtifactSource) -> bool:
    return result.revision is None and result.time.year == 1980


def test_outside_of_git_there_is_no_revision_and_a_time_that_never_changes() -> None:
    assert _unknown(_source())


def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    _git(tmp_path / "root", "init")
    assert _unknown(_source())


def test_a_repository_around_the_project_is_another_ones(tmp_path: Path) -> None:
    _git(tmp_path, "init")
    _git(tmp_path, "commit", "--allow-empty", "--message", "Theirs")
    assert _unknown(_source())


@pytest.mark.parametrize(
    ("path", "modified"), [("k8s/chart/new.yaml", True), ("notes/new.txt", False)]
)
def test_only_changes_to_what_is_packed_count(tmp_path: Path, path: str, modified: bool) -> None:
    root = tmp_path / "root"
    _git(root, "init")
    _git(root, "commit", "--allow-empty", "--message", "First")
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).touch()
    assert _source().modified is modified


@pytest.mark.parametrize("given", ["soon", "-1", "1.5", "\u0661", str(8**11)])
def test_a_time_that_is_none_is_wrong_use(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        _source()
