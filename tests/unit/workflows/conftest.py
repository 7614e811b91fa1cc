"""What the tests of workflows share: no lookup of packages, which needs a network and a builder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vrooli.vulnerabilities import lookup
from vrooli.vulnerabilities.lookup import Lookup


@pytest.fixture(autouse=True)
def recorded_lookup(monkeypatch: pytest.MonkeyPatch) -> Lookup:
    """The lookup that every command finds recorded."""
    recorded = Lookup(datetime(2026, 1, 2, tzinfo=UTC), "pins", updates=("libssl3 1 → 2",))

    async def current(limit_s: float, *, reads_images: bool) -> Lookup:
        return recorded

    monkeypatch.setattr(lookup, "current", current)
    return recorded
