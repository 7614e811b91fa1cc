"""How a parallel run shares the tests between two processes.

One runs what needs the live release, and mostly waits for it. The other runs the rest meanwhile:
file by file, at a lower priority, and with the embedded cluster's own suite in one piece. It begins
with what starts servers, once the builds for it have ended: beside the last tests of the first one,
which measure what a release fails under load, run only tests that start none. Two cores are no more
than these need, so the others wait for them. Shortly before, the second process turns to the tests
that need not wait.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from support.cluster.clusters import STATE_DIR
from vrooli.workflows.suites import builds

LIVE, CLUSTERS = "live", "clusters"
# The files of the tests that share a cluster.
GROUPS = {
    LIVE: r"tests/(e2e/|cluster/test_\w+_live\.py)",
    CLUSTERS: r"tests/cluster/embedded/",
}
# The tests that start no servers, and those beside which no others run.
LIGHT = r"tests/(unit|programs|chart)/"
ALONE = r"tests/e2e/test_production\.py"
# The last live tests before those: a file that is begun meanwhile ends with them.
BEFORE_ALONE = r"tests/e2e/test_vrooli_stand_ins\.py"
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

    def _assign_work_unit(self, node: Any) -> None:
        live = [units.get(LIVE, {}) for units in self.assigned_work.values()]
        pending = [nodeid for tests in live for nodeid, has_ended in tests.items() if not has_ended]
        order = partial(rank, is_alone_next=are_last(pending))
        self.workqueue.move_to_end(min(self.workqueue, key=order), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def are_last(pending: Sequence[str]) -> bool:
    """Whether of the live tests only the last ones, beside which few others run, have not ended."""
    return bool(pending) and all(re.match(f"{BEFORE_ALONE}|{ALONE}", item) for item in pending)


def rank(scope: str, *, is_alone_next: bool = False) -> int:
    """The place of a group or file among those that wait; the lowest is next."""
    if scope == LIVE:
        return 0
    if re.match(LIGHT, scope):
        return 0 if is_alone_next else 2
    needs_builds = scope == CLUSTERS or re.match(BUILT_FOR, scope)
    return 3 if needs_builds and not _have_ended(os.environ.get(builds.RESULT)) else 1


def _have_ended(result: str | None) -> bool:
    """Whether the builds have ended, by the file with their result, if this run has any."""
    return not result or Path(result).exists()


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


@contextmanager
def turn(item: pytest.Item) -> Iterator[None]:
    """The time of one test, in which the other process starts no servers if this one is alone.

    All others share their time: after the live tests, both processes run tests that start servers.
    Who waits to be alone holds the gate, so that the other process ends its test and waits.
    """
    is_alone = re.match(ALONE, item.nodeid) is not None
    is_free = lane(item.nodeid) == LIVE or re.match(LIGHT, item.nodeid)
    if is_free and not is_alone:
        yield
        return
    with _lock("gate") as gate, _lock("turn", fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH):
        if not is_alone:
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@contextmanager
def _lock(name: str, mode: int = fcntl.LOCK_EX) -> Iterator[IO[str]]:
    with (Path(os.environ[STATE_DIR]) / f"{name}.lock").open("w") as file:
        fcntl.flock(file, mode)
        yield file


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
    result = os.environ.get(builds.RESULT)
    return Path(result) if result and re.match(BUILT_FOR, item.nodeid) else None
