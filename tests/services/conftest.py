"""The services over a real backend, started once for every test here that breaks nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.programs.backend import missing_programs
from support.programs.services import Stack, running_stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """All services, ready; tests that stop a part bring it back."""
    missing = missing_programs()
    if missing:
        pytest.fail(f"missing: {', '.join(missing)}, `test.sh --suite services` installs them")
    with running_stack() as running:
        yield running
