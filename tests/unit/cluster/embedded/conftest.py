"""Fixtures of the tests of embedded clusters."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short path, for the sockets of clusters: that of pytest may be too long."""
    with tempfile.TemporaryDirectory(prefix="vrooli-t") as folder:
        yield Path(folder)
