"""What only an operator's log tells keeps a release from being called ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from vrooli.chart import manifest
from vrooli.events import Progress, silent
from vrooli.kube import ApiError, Kube
from vrooli.release import follow, operator_logs
from vrooli.release.follow import Follower
from vrooli.release.readiness import Seen

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


def changed(seconds_ago: float) -> Seen:
    """A cluster that somebody changed then, and whose status was written since."""
    fields = [
        {"time": before(seconds_ago)},
        {"time": before(0), "subresource": "status"},
    ]
    body = {"kind": "PostgresCluster", "metadata": {"name": "vrooli-pg", "managedFields": fields}}
    return Seen({("PostgresCluster", "vrooli-pg"): body})


class Operators:
    """An API server that has PGO's pod and its log."""

    def __init__(self, *lines: str, everywhere: bool = True, readable: bool = True) -> None:
        self.lines, self.everywhere, self.readable = lines, everywhere, readable

    async def list(
        self, api_version: str, kind: str, namespace: str | None, labels: str
    ) -> list[Body]:
        assert (api_version, kind, labels) == ("v1", "Pod", PGO)
        if namespace is None and not self.everywhere:
            raise ApiError("list Pod", 403, "no")
        containers = [
            {"name": "proxy", "image": "example/proxy:1"},
            {"name": "operator", "image": "example/postgres-operator:5.4"},
        ]
        metadata = {"name": "pgo-1", "namespace": "postgres-operator"}
        return [{"metadata": metadata, "spec": {"containers": containers}}]

    async def logs(
        self, namespace: str, pod: str, container: str, *, tail: int
    ) -> AsyncIterator[str]:
        assert (namespace, pod, container) == ("postgres-operator", "pgo-1", "operator")
        if not self.readable:
            raise ApiError("read the log of pgo-1", 403, "no")
        for item in self.lines[-tail:]:
            yield item


async def _errors(operators: Operators, objects: Seen) -> dict[str, str]:
    return await operator_logs.errors(cast(Kube, operators), CLUSTER, objects)


@pytest.mark.anyio
@pytest.mark.parametrize("everywhere", [True, False])
async def test_an_error_since_the_last_change_is_told(everywhere: bool) -> None:
    operators = Operators(line(4), line(2), line(0), everywhere=everywhere)
    assert await _errors(operators, changed(10)) == {
        "PostgresCluster/vrooli-pg": f"its operator can't go on: {ERROR}"
    }


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operators", "changed_s_ago"),
    [
        (Operators(line(300), line(150)), 10),
        (Operators(line(20)), 60),
        (Operators(line(0, name="another")), 60),
        (Operators(line(0), readable=False), 60),
        (Operators(), 60),
    ],
    ids=["before the change", "not again", "of another", "may not be read", "none"],
)
async def test_nothing_else_is_told(operators: Operators, changed_s_ago: float) -> None:
    assert await _errors(operators, changed(changed_s_ago)) == {}


@pytest.mark.anyio
async def test_a_release_is_not_whole_while_an_operator_can_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = iter([{"PostgresCluster/vrooli-pg": ERROR}, {"PostgresCluster/vrooli-pg": ERROR}, {}])

    async def errors(*_: object) -> dict[str, str]:
        return next(said)

    monkeypatch.setattr(follow.operator_logs, "errors", errors)
    # Of nothing, nothing is lacking.
    follower = Follower(cast(Kube, None), (), Progress("healthy", silent), datetime.now(UTC))
    assert not await follower.is_whole(at_once=True)
    (trouble,) = [item for item in follower.troubles() if item.reason == "refused"]
    assert str(trouble) == f"PostgresCluster/vrooli-pg: refused ({ERROR})"
    assert ERROR in follower.too_late(600).message
    assert not await follower.is_whole(at_once=True)
    assert await follower.is_whole(at_once=True)
    assert follower.has_waited
    assert ERROR not in follower.too_late(600).message
