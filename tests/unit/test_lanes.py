"""How a parallel run orders the tests of its second process."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import lanes
from vrooli.workflows import preparation

SCOPES = [
    "tests/unit/a.py",
    "tests/services/b.py",
    "tests/cluster/c.py",
    lanes.CLUSTERS,
    lanes.LIVE,
]


def test_what_starts_servers_is_before_the_rest_once_its_builds_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tmp_path / "result"
    monkeypatch.setenv(preparation.RESULT, str(result))
    services, unit = "tests/services/b.py", "tests/unit/a.py"
    on_clusters = ["tests/cluster/c.py", lanes.CLUSTERS]
    assert sorted(SCOPES, key=lanes.rank) == [lanes.LIVE, services, unit, *on_clusters]
    result.touch()
    assert sorted(SCOPES, key=lanes.rank) == [lanes.LIVE, services, *on_clusters, unit]
