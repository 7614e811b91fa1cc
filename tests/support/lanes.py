"""How a parallel run shares the tests between two processes.

One runs what needs an embedded cluster: it mostly waits, and there is one such cluster at a time.
The other runs the rest meanwhile, file by file and at a lower priority.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vrooli.workflows import preparation

CLUSTERS = "clusters"
# The fixtures of embedded clusters: of the live release, and of the clusters of their own suite.
CLUSTER_FIXTURES = frozenset({"live", "maker"})
# The suites whose tests need programs and images that are built.
BUILT_FOR = frozenset({"cluster", "e2e"})
# How long they may take, and how often their end is looked for, seconds.
BUILDS_S, POLL_S = 3600.0, 0.5
# The niceness of the tests beside those on clusters, whose limits are in seconds.
NICENESS = 10


def lane(item: pytest.Item) -> str:
    """The group of a test; one process runs all tests of a group, in their order."""
    is_on_cluster = CLUSTER_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return CLUSTERS if is_on_cluster else item.nodeid.partition("::")[0]


def share(items: list[pytest.Item]) -> None:
    """Name the groups for pytest-xdist, which starts them in the order of their first tests."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(lane(item)))
    items.sort(key=lambda item: lane(item) != CLUSTERS)


def yield_processor(item: pytest.Item) -> None:
    """Give way to the tests on clusters; a child process inherits its parent's niceness."""
    niceness = 0 if lane(item) == CLUSTERS else NICENESS
    if os.geteuid() == 0 and os.getpriority(os.PRIO_PROCESS, 0) != niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def wait_for_builds(item: pytest.Item) -> None:
    """Wait until the programs and images of a test on clusters are built, or can not be."""
    began = time.monotonic()
    while (result := _builds(item)) and not result.exists():
        if time.monotonic() - began > BUILDS_S:
            return
        time.sleep(POLL_S)


def demand_builds(item: pytest.Item) -> None:
    """Fail a test whose programs and images could not be built."""
    if result := _builds(item):
        failure = result.read_text() if result.exists() else f"not ended after {BUILDS_S:.0f} s"
        if failure:
            pytest.fail(f"The builds for the tests failed: {failure}", pytrace=False)


def _builds(item: pytest.Item) -> Path | None:
    """The file with the result of the builds, if a test needs one."""
    result = os.environ.get(preparation.RESULT)
    return Path(result) if result and BUILT_FOR.intersection(item.path.parts) else None
