"""The commands that `develop` prints can be run as they are printed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from support.docs.example_output import DEVELOPED
from vrooli import project
from vrooli.cli import develop


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a launcher in a repository, which is not on the PATH."""
    folder = tmp_path / "a repository" / "scripts"
    folder.mkdir(parents=True)
    (folder / "vrooli").touch(mode=0o755)
    monkeypatch.setenv("VROOLI_ROOT", str(folder.parent))
    monkeypatch.setenv("PATH", str(tmp_path))
    return folder


def lines(scripts: Path | None) -> list[str]:
    out = io.StringIO()
    develop.show(DEVELOPED, Console(file=out, width=100, soft_wrap=True), scripts=scripts)
    return [line.strip() for line in out.getvalue().splitlines()]


def test_the_launcher_of_the_repository_is_added_to_the_path(scripts: Path) -> None:
    assert develop.scripts_off_path() == scripts
    printed = lines(scripts)
    index = printed.index(f"export PATH='{scripts}':\"$PATH\"")
    assert printed[index + 1].startswith("export KUBECONFIG=")


def test_a_launcher_on_the_path_is_not_added(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(scripts))
    assert develop.scripts_off_path() is None
    assert not [line for line in lines(None) if "export PATH" in line]


def test_a_package_without_launchers_adds_none(scripts: Path) -> None:
    (scripts / "vrooli").unlink()
    assert project.root() == scripts.parent
    assert develop.scripts_off_path() is None
