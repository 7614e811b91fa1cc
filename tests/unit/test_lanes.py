"""How a parallel run orders the tests of its second process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from support import lanes
from support.cluster import clusters
from vrooli.workflows.suites import builds

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
    monkeypatch.setenv(builds.RESULT, str(result))
    services, unit = "tests/services/b.py", "tests/unit/a.py"
    on_clusters = ["tests/cluster/c.py", lanes.CLUSTERS]
    assert sorted(SCOPES, key=lanes.rank) == [lanes.LIVE, services, unit, *on_clusters]
    result.touch()
    assert sorted(SCOPES, key=lanes.rank) == [lanes.LIVE, services, *on_clusters, unit]


@pytest.mark.parametrize(
    ("pending", "first"),
    [
        (["e2e/test_drill.py::a", "e2e/test_production.py::b"], "tests/services/b.py"),
        (["e2e/test_vrooli_stand_ins.py::a", "e2e/test_production.py::b"], "tests/unit/a.py"),
        (["e2e/test_production.py::b"], "tests/unit/a.py"),
        ([], "tests/services/b.py"),
    ],
)
def test_shortly_before_and_beside_the_last_live_tests_run_those_that_need_not_wait(
    monkeypatch: pytest.MonkeyPatch, pending: list[str], first: str
) -> None:
    monkeypatch.delenv(builds.RESULT, raising=False)
    is_alone_next = lanes.are_last([f"tests/{item}" for item in pending])
    waiting = [scope for scope in SCOPES if scope != lanes.LIVE]
    assert min(waiting, key=partial(lanes.rank, is_alone_next=is_alone_next)) == first


SERVERS, ALONE = "tests/cluster/test_a.py::b", "tests/e2e/test_production.py::b"


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (SERVERS, "tests/services/test_c.py::d", False),
        (ALONE, SERVERS, True),
        (SERVERS, ALONE, True),
        (ALONE, "tests/unit/test_c.py::d", False),
        (ALONE, "tests/e2e/test_post.py::d", False),
    ],
)
def test_tests_that_start_servers_share_their_time_but_with_those_that_are_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, waits: bool
) -> None:
    monkeypatch.setenv(clusters.STATE_DIR, str(tmp_path))
    begun = threading.Event()

    def run(nodeid: str) -> None:
        with lanes.turn(cast("pytest.Item", SimpleNamespace(nodeid=nodeid))):
            begun.set()

    with ThreadPoolExecutor(1) as pool:
        with lanes.turn(cast("pytest.Item", SimpleNamespace(nodeid=first))):
            other = pool.submit(run, second)
            assert begun.wait(0.2 if waits else 30) is not waits
        other.result(30)
    assert begun.is_set()
