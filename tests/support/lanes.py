"""How a parallel run shares the tests between two processes.

One runs what needs the live release, and mostly waits for it. The other runs the rest meanwhile:
file by file, at a lower priority, and with the embedded cluster's own suite in one piece.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from vrooli.workflows import preparation

LIVE, CLUSTERS = "live", "clusters"
# The files of the tests that share a cluster.
GROUPS = {
    LIVE: r"tests/(e2e/|cluster/test_\w+_live\.py)",
    CLUSTERS: r"tests/cluster/embedded/",
}
# The suites whose tests need programs and images that are built.
BUILT_FOR = r"tests/(cluster|e2e)/"
# How long they may take, and how often their end is looked for, seconds.
BUILDS_S, POLL_S = 3600.0, 0.5
# How much less the tests outside of GROUPS get, whose limits are seconds of real time.
NICENESS = 10
_USUAL = os.getpriority(os.PRIO_PROCESS, 0)


def lane(nodeid: str) -> str:
    """The group of a test, by its file; one process runs all tests of a group, in their order."""
    file = nodeid.partition("::")[0]
    groups = (group for group, files in GROUPS.items() if re.match(files, file))
    return next(groups, file)


class Lanes(LoadScopeScheduling):
    """Gives the groups of tests to the processes."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def share(items: list[pytest.Item]) -> None:
    """Put the longest group first: groups start in the order of their first tests."""
    items.sort(key=lambda item: lane(item.nodeid) != LIVE)


def demand_places(items: list[pytest.Item]) -> None:
    """Check that the file of each test says which cluster it needs.

    Raises:
        pytest.UsageError: A test needs the live release and is in no file of its group.
    """
    for item in items:
        if "live" in getattr(item, "fixturenames", ()) and lane(item.nodeid) != LIVE:
            raise pytest.UsageError(
                f"{item.nodeid} needs the live release: it belongs into tests/e2e, or into a file "
                "tests/cluster/test_…_live.py."
            )


def yield_processor(item: pytest.Item) -> None:
    """Give way to the tests on clusters; a child process inherits its parent's niceness."""
    niceness = _USUAL if lane(item.nodeid) in GROUPS else min(_USUAL + NICENESS, 19)
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
    return Path(result) if result and re.match(BUILT_FOR, item.nodeid) else None
