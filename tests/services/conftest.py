"""The services over a real backend, started once for every test here that breaks nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.programs.backend import missing_programs
from support.programs.services import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """All services, ready; tests that stop a part bring it back."""
    lacking = missing_programs()
    if lacking:
        pytest.fail(f"needs {', '.join(lacking)}, which test.sh --suite services installs")
    with running_stack() as running:
        yield running
