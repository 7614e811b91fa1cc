"""What only an operator's log tells keeps a release from being called ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from vrooli.chart import manifest
from vrooli.events import Progress, silent
from vrooli.kube import ApiError, Kube
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.release.rollout import operator_logs, queries, tracker, wait
from vrooli.release.rollout.tracker import RolloutTracker

Body = dict[str, Any]
PGO = "postgres-operator.crunchydata.com/control-plane"
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
    """An error of PGO's."""
    time = before(seconds_ago)
    return (
        f'time="{time}" level=error msg="Reconciler error" error="{ERROR}" name={name} '
        "namespace=dev"
    )


def changed(seconds_ago: float) -> Snapshot:
    """A cluster that somebody changed then, and whose status was written since."""
    fields = [
        {"time": before(seconds_ago)},
        {"time": before(0), "subresource": "status"},
    ]
    body = {"kind": "PostgresCluster", "metadata": {"name": "vrooli-pg", "managedFields": fields}}
    return Snapshot.of([body])


REPORTED = {"PostgresCluster/vrooli-pg": f"its operator can't go on: {ERROR}"}
STARTED = f'time="{before(7200)}" level=info msg="starts"'


class Operators:
    """An API server that has PGO's pod and its log."""

    def __init__(
        self,
        *lines: str,
        everywhere: bool = True,
        readable: bool = True,
        is_here: bool = True,
        is_slow: bool = False,
        state: str = "running",
        started_s_ago: float = 7200,
    ) -> None:
        self.lines, self.everywhere, self.readable = lines, everywhere, readable
        self.is_here, self.is_slow = is_here, is_slow
        self.state = {state: {"startedAt": before(started_s_ago)}}

    async def list(
        self, api_version: str, kind: str, namespace: str | None, labels: str
    ) -> list[Body]:
        assert (api_version, kind, labels) == ("v1", "Pod", PGO)
        if namespace is None and not self.everywhere:
            raise ApiError("list Pod", 403, "no")
        if not self.is_here:
            return []
        containers = [
            {"name": "proxy", "image": "example/proxy:1"},
            {"name": "operator", "image": "example/postgres-operator:5.4"},
        ]
        metadata = {"name": "pgo-1", "namespace": "postgres-operator"}
        statuses = [{"name": "proxy"}, {"name": "operator", "state": self.state}]
        return [
            {
                "metadata": metadata,
                "spec": {"containers": containers},
                "status": {"containerStatuses": statuses},
            }
        ]

    async def logs(
        self, namespace: str, pod: str, container: str, *, tail: int
    ) -> AsyncIterator[str]:
        assert (namespace, pod, container) == ("postgres-operator", "pgo-1", "operator")
        if not self.readable:
            raise ApiError("read the log of pgo-1", 403, "no")
        if self.is_slow:
            await asyncio.sleep(10)
        for item in self.lines[-tail:]:
            yield item


async def _read(operators: Operators, objects: Snapshot) -> operator_logs.Reading:
    return await operator_logs.read(cast(Kube, operators), CLUSTER, objects)


@pytest.mark.anyio
@pytest.mark.parametrize("everywhere", [True, False])
async def test_an_error_since_the_last_change_is_reported(everywhere: bool) -> None:
    operators = Operators(line(4), line(2), line(0), everywhere=everywhere)
    read = await _read(operators, changed(10))
    assert read == operator_logs.Reading(REPORTED)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operators", "changed_s_ago"),
    [
        (Operators(line(300), line(150)), 10),
        (Operators(STARTED, line(20)), 60),
        (Operators(line(0, name="another")), 60),
        (Operators(state="waiting"), 60),
        (Operators(is_here=False), 60),
        (Operators(), 60),
    ],
    ids=["before the change", "not again", "of another", "never ran", "no operator", "none"],
)
async def test_no_other_line_is_reported(operators: Operators, changed_s_ago: float) -> None:
    assert await _read(operators, changed(changed_s_ago)) == operator_logs.Reading({})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operators", "why"),
    [
        (Operators(readable=False), "refused to read the log of pgo-1"),
        (Operators(everywhere=False, is_here=False), "refused to list Pod"),
        (Operators(is_slow=True), "no answer within 0 s"),
    ],
    ids=["log", "pods", "slow"],
)
async def test_a_log_that_can_not_be_read_is_reported(
    operators: Operators, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_logs, "READ_S", 0.1)
    (unavailable,) = (await _read(operators, changed(60))).unavailable
    assert unavailable.resource == "the log of PostgreSQL operator (PGO)"
    assert why in unavailable.reason


@pytest.mark.anyio
async def test_the_only_error_of_a_log_that_was_cut_holds_for_the_longest_pause() -> None:
    assert (await _read(Operators(line(900)), changed(1000))).errors == REPORTED
    assert (await _read(Operators(line(1200)), changed(1300))).errors == {}
    # What was written within the longest pause before it would hold another one.
    assert (await _read(Operators(line(3000, "another"), line(900)), changed(1000))).errors == {}


@pytest.mark.anyio
async def test_errors_from_before_a_change_show_how_long_the_next_pause_is() -> None:
    assert (await _read(Operators(line(300), line(150), line(9)), changed(10))).errors == REPORTED


@pytest.mark.anyio
async def test_a_release_is_not_whole_while_an_operator_can_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = iter([{"PostgresCluster/vrooli-pg": ERROR}, {"PostgresCluster/vrooli-pg": ERROR}, {}])

    async def read(*_: object) -> operator_logs.Reading:
        return operator_logs.Reading(next(said))

    monkeypatch.setattr(tracker.operator_logs, "read", read)
    # Of nothing, nothing is lacking.
    follower = RolloutTracker(cast(Kube, None), (), Progress("healthy", silent), datetime.now(UTC))
    assert not await follower.is_fully_ready(at_once=True)
    (trouble,) = [item for item in follower.current_failures() if item.reason == "refused"]
    assert str(trouble) == f"PostgresCluster/vrooli-pg: refused ({ERROR})"
    assert ERROR in follower.too_late(600).message
    assert not await follower.is_fully_ready(at_once=True)
    assert await follower.is_fully_ready(at_once=True)
    assert follower.has_waited
    assert ERROR not in follower.too_late(600).message


@pytest.mark.anyio
async def test_a_release_that_is_ready_reports_what_was_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read(*_: object) -> operator_logs.Reading:
        return operator_logs.Reading({}, [Unavailable("the log of PGO", "no rights")])

    monkeypatch.setattr(tracker.operator_logs, "read", read)
    done = await wait.until_ready(cast(Kube, None), (), Progress("healthy", silent), 10, rests=True)
    assert "not seen: the log of PGO: no rights" in done.detail


@pytest.mark.anyio
async def test_what_databases_are_built_from_and_may_not_be_listed_is_reported() -> None:
    class Lists:
        async def list(self, api_version: str, kind: str, *_: object, **__: object) -> list[Body]:
            if kind in ("StatefulSet", "Event"):
                raise ApiError(f"list {kind}", 403, "no")
            return []

    seen = await queries.fetch_release_snapshot(cast(Kube, Lists()), CLUSTER)
    assert [(item.resource, item.reason) for item in seen.unavailable] == [
        ("StatefulSet in dev", "The API server refused to list StatefulSet: no")
    ]
