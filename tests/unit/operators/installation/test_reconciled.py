"""The wait until an operator has reconciled its resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import pod_http
from vrooli.kube.objects import Ref, name
from vrooli.kube.pod_http import PodAnswer
from vrooli.operators import REDIS
from vrooli.operators.installation import reconciled


def pod(uid: str, created: str, namespace: str = REDIS.namespace, *, ready: bool = True) -> Any:
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"operator-{uid}",
            "namespace": namespace,
            "creationTimestamp": created,
            "labels": {"app.kubernetes.io/name": "redis-operator"},
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


FAILOVERS = [
    {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": key, "namespace": "dev"},
        "spec": {},
    }
    for key in ("one", "two")
]
OLD, NEW = pod("old", "2026-01-02T03:04:05Z"), pod("new", "2026-01-02T03:05:05Z")
METRIC = 'redis_operator_controller_cluster_ok{{name="{}",namespace="dev"}} 1\n'


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciled, "POLL_S", 0.0)
    monkeypatch.setattr(reconciled, "UNREADABLE_S", 0.1)
    monkeypatch.setattr(reconciled, "RECONCILED_S", 0.3)


def serve(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], PodAnswer]) -> None:
    """Let pods serve metrics, by the pod's name."""

    async def get(kube: object, ref: Ref, port: int, path: str, *, limit_s: float) -> PodAnswer:
        assert (port, path) == (9710, "/metrics")
        return answer(ref.name)

    monkeypatch.setattr(pod_http, "get", get)


async def wait(cluster: FakeCluster, awaited: tuple[str, ...] = ("one", "two")) -> str:
    return await reconciled.wait_reconciled(
        REDIS, cluster, lambda body: name(body) in awaited, Progress()
    )


async def test_the_newest_pod_has_to_reconcile_every_awaited_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = METRIC.format("one") + METRIC.format("two")
    texts = {"operator-old": both, "operator-new": METRIC.format("two")}
    serve(monkeypatch, lambda pod: PodAnswer(200, texts[pod]))
    cluster = FakeCluster(OLD, NEW, *FAILOVERS)
    with pytest.raises(WaitTimeoutError, match="RedisFailover/one in namespace dev is not"):
        await wait(cluster)
    assert await wait(cluster, ("two",)) == "1 resource reconciled"
    texts["operator-new"] = both
    assert await wait(cluster) == "2 resources reconciled"


async def test_a_pod_of_others_with_the_labels_of_an_operator_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = METRIC.format("one") + METRIC.format("two")
    texts = {"operator-new": "", "operator-theirs": both}
    serve(monkeypatch, lambda pod: PodAnswer(200, texts[pod]))
    theirs = pod("theirs", "2026-01-02T03:06:05Z", "others")
    with pytest.raises(WaitTimeoutError, match="RedisFailover/one"):
        await wait(FakeCluster(NEW, theirs, *FAILOVERS))


async def test_metrics_that_are_not_served_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda _: PodAnswer(401, ""))
    proof = await wait(FakeCluster(NEW, *FAILOVERS))
    assert proof.startswith("whether it has reconciled its resources is not proven: its metrics")
    assert "status 401" in proof


async def test_an_operator_that_does_not_stay_ready_has_not_reconciled() -> None:
    cluster = FakeCluster(pod("new", "2026-01-02T03:05:05Z", ready=False), *FAILOVERS)
    with pytest.raises(WaitTimeoutError, match="none of its pods is ready"):
        await wait(cluster)
