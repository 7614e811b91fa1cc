"""Errors that only an operator's log reports keep a release from being ready."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.fakes.cluster_failures import NEVER
from support.fakes.cluster_kinds import BY_NAME
from vrooli import operators
from vrooli.chart import manifest
from vrooli.events import Progress, silent
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.release.rollout import operator_logs, queries, tracker, wait
from vrooli.release.rollout.tracker import RolloutTracker

PGO = operators.PGO.selector
NAMESPACE = operators.PGO.namespace
ERROR = "spec.template.spec.containers[0].image: Required value"
TEXT = """
apiVersion: postgres-operator.crunchydata.com/v1beta1
kind: PostgresCluster
metadata: {name: vrooli-pg}
spec: {instances: [{name: instance1}]}
"""
CLUSTER = tuple(manifest.parse(TEXT, "dev"))


def before(seconds: float) -> str:
    """A moment before now."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def line(seconds_ago: float, name: str = "vrooli-pg") -> str:
    """An error in the log of PGO."""
    time = before(seconds_ago)
    return (
        f'time="{time}" level=error msg="Reconciler error" error="{ERROR}" name={name} '
        "namespace=dev"
    )


def changed(seconds_ago: float) -> Snapshot:
    """A PostgresCluster that was changed then, and whose status was written since."""
    fields = [
        {"time": before(seconds_ago)},
        {"time": before(0), "subresource": "status"},
    ]
    body = {"kind": "PostgresCluster", "metadata": {"name": "vrooli-pg", "managedFields": fields}}
    return Snapshot.of([body])


REPORTED = {"PostgresCluster/vrooli-pg": f"its operator can't go on: {ERROR}"}
STARTED = f'time="{before(7200)}" level=info msg="starts"'


def cluster(*lines: str, state: str = "running", started_s_ago: float = 7200) -> FakeCluster:
    """A cluster that has PGO's pod with a log."""
    containers = [
        {"name": "proxy", "image": "example/proxy:1"},
        {"name": "operator", "image": "example/postgres-operator:5.4"},
    ]
    status = {"name": "operator", "state": {state: {"startedAt": before(started_s_ago)}}}
    pod = {
        "kind": "Pod",
        "metadata": {"name": "pgo-1", "namespace": NAMESPACE, "labels": {PGO: ""}},
        "spec": {"containers": containers},
        "status": {"containerStatuses": [{"name": "proxy"}, status]},
    }
    result = FakeCluster(pod)
    result.server.logs[NAMESPACE, "pgo-1", "operator"] = lines
    return result


def without_operator() -> FakeCluster:
    """A cluster without PGO."""
    result = cluster()
    result.remove("Pod", "pgo-1", NAMESPACE)
    return result


def failing(verb: str, status: int, base: FakeCluster, **scope: Any) -> FakeCluster:
    """A cluster in which requests about pods fail."""
    base.failures.add(verb, "Pod", status, "no", **scope)
    return base


async def _read(kube: FakeCluster, objects: Snapshot) -> operator_logs.Reading:
    return await operator_logs.read(kube, CLUSTER, objects)


@pytest.mark.parametrize("everywhere", [True, False])
async def test_an_error_since_the_last_change_is_reported(everywhere: bool) -> None:
    kube = cluster(line(4), line(2), line(0))
    if not everywhere:
        kube.failures.forbid("list", "Pod", namespace=None)
    read = await _read(kube, changed(10))
    assert read == operator_logs.Reading(REPORTED)


@pytest.mark.parametrize(
    ("make", "changed_s_ago"),  # lines are as old as they say when the test runs
    [
        (lambda: cluster(line(300), line(150)), 10),
        (lambda: cluster(STARTED, line(20)), 60),
        (lambda: cluster(line(0, name="another")), 60),
        (lambda: cluster(state="waiting"), 60),
        (without_operator, 60),
        (cluster, 60),
    ],
    ids=["before the change", "not again", "of another", "never ran", "no operator", "none"],
)
async def test_no_other_line_is_reported(
    make: Callable[[], FakeCluster], changed_s_ago: float
) -> None:
    assert await _read(make(), changed(changed_s_ago)) == operator_logs.Reading({})


async def test_a_pod_of_others_with_the_labels_of_an_operator_is_not_believed() -> None:
    """Whoever may create a pod anywhere would otherwise let each deploy fail."""
    kube = cluster(STARTED)
    forged = copy.deepcopy(dict(await kube.get("v1", "Pod", "pgo-1", NAMESPACE) or {}))
    forged["metadata"]["namespace"] = "others"
    kube.server.store(BY_NAME["Pod"], "others", forged)
    kube.server.logs["others", "pgo-1", "operator"] = [line(4), line(2), line(0)]
    assert await _read(kube, changed(10)) == operator_logs.Reading({})
    kube.remove("Pod", "pgo-1", NAMESPACE)  # others may have installed it elsewhere
    assert await _read(kube, changed(10)) == operator_logs.Reading(REPORTED)


@pytest.mark.parametrize(
    ("kube", "reason"),
    [
        (failing("log", 403, cluster()), "refused to read the log of pgo-1"),
        (
            failing("list", 403, without_operator(), namespace=None),
            "refused to list Pod",
        ),
        (failing("log", NEVER, cluster()), "no answer within 0 s"),
    ],
    ids=["log", "pods", "slow"],
)
async def test_a_log_that_can_not_be_read_is_reported(
    kube: FakeCluster, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_logs, "READ_S", 0.1)
    (unavailable,) = (await _read(kube, changed(60))).unavailable
    assert unavailable.resource == "the log of PostgreSQL operator (PGO)"
    assert reason in unavailable.reason


async def test_the_only_error_of_a_rotated_log_is_current_for_the_longest_pause() -> None:
    assert (await _read(cluster(line(900)), changed(1000))).errors == REPORTED
    assert (await _read(cluster(line(1200)), changed(1300))).errors == {}
    # What was written within the longest pause before it would hold another one.
    assert (await _read(cluster(line(3000, "another"), line(900)), changed(1000))).errors == {}


async def test_errors_before_a_change_show_the_length_of_the_next_pause() -> None:
    assert (await _read(cluster(line(300), line(150), line(9)), changed(10))).errors == REPORTED


async def test_a_release_is_not_ready_while_an_operator_reports_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors = iter([{"PostgresCluster/vrooli-pg": ERROR}, {"PostgresCluster/vrooli-pg": ERROR}, {}])

    async def read(*_: object) -> operator_logs.Reading:
        return operator_logs.Reading(next(errors))

    monkeypatch.setattr(tracker.operator_logs, "read", read)
    # A release without objects lacks nothing.
    rollout = RolloutTracker(FakeCluster(), (), Progress("healthy", silent), datetime.now(UTC))
    assert not await rollout.is_fully_ready(at_once=True)
    (failure,) = [item for item in rollout.current_failures() if item.reason == "refused"]
    assert str(failure) == f"PostgresCluster/vrooli-pg: refused ({ERROR})"
    assert ERROR in rollout.too_late(600).message
    assert not await rollout.is_fully_ready(at_once=True)
    assert await rollout.is_fully_ready(at_once=True)
    assert rollout.has_waited
    assert ERROR not in rollout.too_late(600).message


async def test_a_release_that_is_ready_reports_which_logs_were_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read(*_: object) -> operator_logs.Reading:
        return operator_logs.Reading({}, [Unavailable("the log of PGO", "no rights")])

    monkeypatch.setattr(tracker.operator_logs, "read", read)
    result = await wait.until_ready(FakeCluster(), (), Progress("healthy", silent), 10, rests=True)
    assert "not seen: the log of PGO: no rights" in result.detail


async def test_objects_of_databases_that_may_not_be_listed_are_reported() -> None:
    kube = FakeCluster()
    kube.failures.forbid("list", "StatefulSet", message="no")
    kube.failures.forbid("list", "Event")
    snapshot = await queries.fetch_release_snapshot(kube, CLUSTER)
    assert [(item.resource, item.reason) for item in snapshot.unavailable] == [
        ("StatefulSet in dev", "The API server refused to list StatefulSet: no")
    ]
