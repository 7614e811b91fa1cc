"""Larger volumes for Redis by new pods, with an operator and a StatefulSet in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from support.release.database_pods import Body
from vrooli.databases.model import Plan, Switched
from vrooli.databases.redis import growth, switchover
from vrooli.databases.redis.growth import Replacement
from vrooli.databases.redis.session import Redis, RedisPod
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.operators.redis.volumes import claim_labels

SMALL, LARGE = "1Gi", "5Gi"

pytestmark = pytest.mark.anyio


def _claim(size: str, name: str = "data") -> Body:
    return {
        "metadata": {"name": name, "labels": claim_labels("rf")},
        "spec": {"resources": {"requests": {"storage": size}}},
    }


class Site:
    """A RedisFailover whose operator and StatefulSet act at once on what is deleted."""

    namespace, name = "dev", "rf"
    body: Body

    def __init__(self, *sizes: str, template: str = SMALL) -> None:
        self.sizes = {f"rfr-rf-{number}": size for number, size in enumerate(sizes)}
        self.template, self.master_name = template, "rfr-rf-0"
        self.is_working = True
        self.events: list[str] = []
        self.kube = self
        self.body = {
            "kind": "RedisFailover",
            "metadata": {"name": "rf"},
            "spec": {"redis": {"storage": {"persistentVolumeClaim": _claim(LARGE)}}},
        }

    async def list(self, api: str, kind: str, namespace: str) -> list[Body]:
        assert kind == "PersistentVolumeClaim"
        return [_claim(size, f"data-{pod}") for pod, size in self.sizes.items()]

    async def get(self, api: str, kind: str, name: str, namespace: str) -> Body | None:
        if kind == "Pod":
            claim = {"persistentVolumeClaim": {"claimName": f"data-{name}"}}
            return {"spec": {"volumes": [{"configMap": {}}, claim]}}
        assert (kind, name) == ("StatefulSet", "rfr-rf")
        return (
            {"spec": {"volumeClaimTemplates": [_claim(self.template)]}} if self.template else None
        )

    async def delete(
        self,
        api: str,
        kind: str,
        name: str,
        namespace: str,
        *,
        uid: str = "",
        propagation: str = "Background",
    ) -> bool:
        self.events.append(f"delete {name}")
        if kind == "StatefulSet":
            assert propagation == "Orphan", "the pods are deleted with it"
            self.template = LARGE if self.is_working else ""
        if kind == "Pod":
            assert name != self.master_name, "the master is deleted"
            assert self.events[-2] == f"delete data-{name}"
            self.sizes[name] = self.template
        return True

    async def patch(self, *words: Any) -> None:
        assert words[1] == "RedisFailover"

    async def pods(self) -> Sequence[RedisPod]:
        return [RedisPod(name, "redis", f"10.0.0.{name[-1]}", True) for name in self.sizes]

    async def master(self) -> RedisPod:
        return RedisPod(self.master_name, "redis", "10.0.0.9", True)

    def replicas(self, component: str) -> int:
        return len(self.sizes)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "POLL_S", 0.01)
    monkeypatch.setattr(growth, "RECONCILE_S", 0.05)

    async def lag_reason(site: Site, master: RedisPod) -> str:
        return ""

    async def plan(site: Site, to: str, progress: Progress) -> Plan:
        return Plan(site.master_name, to)

    async def switch_over(site: Site, planned: Plan, progress: Progress) -> Switched:
        site.master_name = next(pod for pod, size in site.sizes.items() if size == LARGE)
        site.events.append(f"switch to {site.master_name}")
        return Switched(site.master_name, 0.5)

    async def await_followers(site: Site, master: str, progress: Progress) -> None:
        assert master == site.master_name

    for replacement in (lag_reason, plan, switch_over, await_followers):
        monkeypatch.setattr(switchover, replacement.__name__, replacement)


async def _run(site: Site, limit_s: float = 1.0) -> Replacement:
    replacement = Replacement(cast(Redis, site), LARGE, limit_s)
    await replacement.run(Progress())
    return replacement


async def test_replicas_are_replaced_first_and_the_master_after_a_switchover() -> None:
    site = Site(SMALL, SMALL, SMALL)
    replacement = await _run(site)
    assert site.events == [
        "delete rfr-rf",
        *("delete data-rfr-rf-1", "delete rfr-rf-1"),
        *("delete data-rfr-rf-2", "delete rfr-rf-2"),
        "switch to rfr-rf-1",
        *("delete data-rfr-rf-0", "delete rfr-rf-0"),
    ]
    assert set(site.sizes.values()) == {LARGE}
    assert replacement.switched == Switched("rfr-rf-1", 0.5)


async def test_an_interrupted_replacement_continues_with_the_pods_that_are_left() -> None:
    site = Site(SMALL, LARGE, template=LARGE)
    await _run(site)
    assert site.events == ["switch to rfr-rf-1", "delete data-rfr-rf-0", "delete rfr-rf-0"]
    assert (await _run(site)).switched is None
    assert len(site.events) == 3


async def test_no_pod_is_deleted_while_the_operator_has_not_made_the_new_template() -> None:
    site = Site(SMALL, SMALL)
    site.is_working = False
    with pytest.raises(WaitTimeoutError, match="StatefulSet rfr-rf does not exist"):
        await _run(site)
    assert site.events == ["delete rfr-rf"]


async def test_no_pod_is_deleted_while_another_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lag_reason(site: Site, master: RedisPod) -> str:
        if len(site.events) > 1:
            raise PrerequisiteError("Redis rf has no master: no Sentinel is ready.")
        return "" if site.events == [] else "rfr-rf-2 does not replicate from rfr-rf-0"

    monkeypatch.setattr(switchover, "lag_reason", lag_reason)
    site = Site(SMALL, SMALL, SMALL)
    with pytest.raises(WaitTimeoutError, match="rfr-rf-2 does not replicate"):
        await _run(site, limit_s=0.1)
    assert site.events == ["delete rfr-rf"]
