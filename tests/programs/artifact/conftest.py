"""A real artifact of this project's chart, one for each test to break."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from vrooli.events import silent
from vrooli.workflows.artifacts.build import BuildOptions, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact as build makes it; nobody changes it."""
    options = BuildOptions("1.2.3", out=tmp_path_factory.mktemp("out"))
    return Path(asyncio.run(build(options, silent)).path)


@pytest.fixture
def artifact(built: Path, tmp_path: Path) -> Path:
    """A copy of that artifact."""
    return Path(shutil.copytree(built, tmp_path / "artifacts"))
