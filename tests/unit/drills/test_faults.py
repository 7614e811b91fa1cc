"""The faults: what they delete or kill, when they count as healed, and when they do not apply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import (
    output,
    owned,
    pod,
    postgres_pod,
    psql,
    redis_cli,
    redis_pod,
)
from vrooli.cluster.interface import ClusterStatus, ComponentStatus
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.drills.faults import pods, postgres, redis
from vrooli.drills.faults.catalog import BY_NAME, FAULTS
from vrooli.drills.model import Injection, NotApplicableError
from vrooli.drills.site import ProcessTable, Site
from vrooli.errors import VrooliError
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
POSTGRES = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
PRIMARY, REPLICA = postgres_pod("pg-a-0", "master"), postgres_pod("pg-b-0", "replica")
FAILOVER = owned(
    "RedisFailover", "vrooli-rf", RELEASE.name, redis={"replicas": 2}, sentinel={"replicas": 3}
)
REDIS = [redis_pod("rfr-0", "redis", "10.0.0.1"), redis_pod("rfr-1", "redis", "10.0.0.2")]
SENTINELS = [redis_pod(f"rfs-{name}", "sentinel", f"10.0.1.{name}") for name in "012"]

pytestmark = pytest.mark.anyio


class Processes:
    """The process table of a cluster on this machine."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.pids = {"etcd": 10, "kubelet": 11}

    async def status(self) -> ClusterStatus:
        parts = tuple(ComponentStatus(name, "running", pid) for name, pid in self.pids.items())
        return ClusterStatus("c", "embedded", "running", components=parts)

    def kill_component(self, name: str) -> int:
        self.killed.append(name)
        return self.pids[name]

    def kill_in_pod(self, pod_uid: str, program: str) -> int:
        self.killed.append(f"{program} in {pod_uid}")
        return 1


async def site_of(
    *objects: dict[str, Any], processes: ProcessTable | None = None, **absent: Any
) -> Site:
    cluster = FakeCluster(POSTGRES, FAILOVER, *objects)
    found = {
        "postgres": await Postgres.of(cluster, RELEASE),
        "redis": await Redis.of(cluster, RELEASE),
        **absent,
    }
    return Site(cluster, RELEASE, (), processes, **found)


def fake(site: Site) -> FakeCluster:
    assert isinstance(site.kube, FakeCluster)
    return site.kube


def replace_pod(site: Site, old: dict[str, Any], **changes: Any) -> None:
    """The controller's new pod of the same name."""
    new = {**old, "metadata": {**old["metadata"], "uid": "new"}, **changes}
    fake(site).add(new)


def test_each_fault_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(FAULTS) >= 12


async def test_only_the_primary_is_deleted_and_another_ready_pod_heals_it() -> None:
    site = await site_of(PRIMARY, REPLICA)
    injection = await postgres.primary_deleted(site)
    assert not injection.is_alone
    assert injection.targets == ("Pod/pg-a-0 in namespace dev",)
    await injection.inject()
    assert fake(site).changes == [("delete", "Pod", "pg-a-0")]
    assert not await injection.is_healed()
    replace_pod(site, PRIMARY, status={"conditions": [{"type": "Ready", "status": "False"}]})
    assert not await injection.is_healed()
    replace_pod(site, PRIMARY)
    assert await injection.is_healed()


async def test_a_lost_primary_has_a_second_to_end_and_keeps_its_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, grace = await site_of(PRIMARY, REPLICA), list[int | None]()

    async def record(*_: Any, uid: str, grace_s: int | None = None) -> bool:
        assert uid
        grace.append(grace_s)
        return True

    monkeypatch.setattr(site.kube, "delete", record)
    lost, deleted = await postgres.primary_lost(site), await postgres.primary_deleted(site)
    await lost.inject()
    await deleted.inject()
    assert grace == [1, None]
    assert (lost.unnoticed_s, deleted.unnoticed_s) == (30, 0)


async def test_the_only_instance_has_no_other_beside_it() -> None:
    site = await site_of(PRIMARY)
    assert (await postgres.primary_deleted(site)).is_alone


async def test_fewer_pods_heal_a_deletion_after_an_autoscaler_had_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = {"app.kubernetes.io/instance": "vrooli-dev", "app.kubernetes.io/component": "jobs"}
    site = await site_of(pod("jobs-a", labels), pod("jobs-b", labels))
    injection = await pods.component(site, "jobs")
    await injection.inject()
    assert not await injection.is_healed()
    monkeypatch.setattr(pods, "SCALED_S", -1.0)
    assert await injection.is_healed()


async def test_a_frozen_primary_is_thawed_also_by_its_pod() -> None:
    site = await site_of(PRIMARY, REPLICA)
    started, scripts = "2026-11-29 14:00", list[str]()

    def run(program: Program) -> Completed:
        if " psql " in program.argv[2]:
            return psql(lambda _: output(f'{{"started": "{started}"}}\n'))(program)
        scripts.append(program.argv[2])
        return output("")

    fake(site).server.programs.handlers["dev", "pg-a-0", "database"] = run
    injection = await postgres.primary_frozen(site)
    await injection.inject()
    await injection.undo()
    frozen, thawed = scripts
    assert "signal STOP" in frozen
    assert 'sleep "$1"; signal CONT' in frozen
    assert "signal CONT" in thawed
    assert not await injection.is_healed()
    started = "2026-11-29 14:05"
    assert await injection.is_healed()


@pytest.mark.parametrize(
    ("volume", "free", "reason"),
    [
        ({"hostPath": {"path": "/x"}}, 1000, "shares the disk of its node"),
        ({"csi": {}}, postgres.MOST_FILLER + 1, "at most"),
    ],
)
async def test_a_volume_of_the_node_or_a_large_one_is_not_filled(
    volume: dict[str, Any], free: int, reason: str
) -> None:
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "pg-a-pgdata",
            "labels": {
                "postgres-operator.crunchydata.com/cluster": "vrooli-pg",
                "postgres-operator.crunchydata.com/role": "pgdata",
                "postgres-operator.crunchydata.com/instance": "pg-a",
            },
        },
        "spec": {"volumeName": "v", "resources": {"requests": {"storage": "1Gi"}}},
    }
    body = {"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": volume}
    site = await site_of(PRIMARY, claim, body)

    def df(program: Program) -> Completed:
        assert "df " in program.argv[2]
        return output(f"/dev/x 1 1 {free} 1% /pgdata\n")

    fake(site).server.programs.handlers["dev", "pg-a-0", "database"] = df
    with pytest.raises(NotApplicableError, match=reason):
        await postgres.volume_filled(site)
    assert fake(site).changes == []


def answer_redis(site: Site, run_id: str) -> None:
    handlers = fake(site).server.programs.handlers
    for sentinel in SENTINELS:
        name = sentinel["metadata"]["name"]
        handlers["dev", name, "sentinel"] = redis_cli(lambda _: output('["10.0.0.1","6379"]\n'))
    handlers["dev", "rfr-0", "redis"] = redis_cli(lambda _: output(f"run_id:{run_id}\n"))


async def test_the_process_of_the_master_is_killed_on_its_node() -> None:
    processes = Processes()
    site = await site_of(*REDIS, *SENTINELS, processes=processes)
    answer_redis(site, "first")
    injection = await redis.master_killed(site)
    await injection.inject()
    assert processes.killed == ["redis-server in uid-rfr-0"]
    assert not await injection.is_healed()
    fake(site).server.programs.handlers["dev", "rfr-0", "redis"] = redis_cli(lambda _: output(""))
    with pytest.raises(VrooliError, match="ended without a message"):
        await injection.is_healed()
    answer_redis(site, "second")
    assert await injection.is_healed()


async def test_two_of_three_sentinels_are_deleted() -> None:
    site = await site_of(*REDIS, *SENTINELS)
    injection = await redis.sentinels_deleted(site)
    await injection.inject()
    assert [name for _, _, name in fake(site).changes] == ["rfs-0", "rfs-1"]


async def test_a_component_is_killed_and_healed_with_another_process() -> None:
    processes = Processes()
    site = await site_of(processes=processes)
    injection = await BY_NAME["etcd-killed"].plan(site)
    await injection.inject()
    assert processes.killed == ["etcd"]
    assert not await injection.is_healed()
    processes.pids["etcd"] = 20
    assert await injection.is_healed()


async def test_an_operator_is_deleted_before_the_fault_that_it_heals() -> None:
    labels = {"postgres-operator.crunchydata.com/control-plane": "postgres-operator"}
    operator = pod("pgo", labels)
    operator["metadata"]["namespace"] = "postgres-operator"
    site = await site_of(PRIMARY, operator)
    injection = await BY_NAME["postgres-operator"].plan(site)
    await injection.inject()
    assert [name for _, _, name in fake(site).changes] == ["pgo", "pg-a-0"]
    replace_pod(site, PRIMARY)
    assert not await injection.is_healed()
    replace_pod(site, operator)
    assert await injection.is_healed()


@pytest.mark.parametrize(
    ("name", "absent", "reason"),
    [
        ("postgres-deleted", {"postgres": None}, "outside the cluster"),
        ("redis-deleted", {"redis": None}, "outside the cluster"),
        ("sentinels-deleted", {}, "has 0 of the 3 Sentinels"),
        ("redis-killed", {}, "on its node"),
        ("etcd-killed", {}, "only an embedded cluster"),
        ("vault-deleted", {}, "has no pods"),
        ("ingress-deleted", {}, "has no pods"),
        ("pgbouncer-deleted", {}, "has no pods"),
        ("vault-operator", {}, "has no pods"),
    ],
)
async def test_a_fault_that_does_not_apply_says_why(
    name: str, absent: dict[str, None], reason: str
) -> None:
    site = await site_of(**absent)
    with pytest.raises(NotApplicableError, match=reason):
        await BY_NAME[name].plan(site)
    assert fake(site).changes == []


def test_the_owner_of_a_pod_is_a_subject_of_a_diagnosis() -> None:
    labels = {"pod-template-hash": "5d4"}
    body = pod("jobs-5d4-x", labels)
    body["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "vrooli-dev-jobs-5d4"}]
    group = pods.Group(FakeCluster(), "dev", "x", (body,))
    injection: Injection = pods.deletion(group, [body])
    assert injection.subjects == ("jobs-5d4-x", "vrooli-dev-jobs-5d4", "vrooli-dev-jobs")
