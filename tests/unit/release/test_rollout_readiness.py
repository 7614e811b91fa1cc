"""When each kind of object of a release is ready, and what is said when it isn't."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.operators.pgo import readiness as pgo_readiness
from vrooli.operators.pgo.names import API_VERSION, CLUSTER_LABEL, ROLE_LABEL
from vrooli.operators.redis import names as redis
from vrooli.release.rollout import readiness
from vrooli.release.rollout.redis_reconcile import is_waiting

PGO = "postgres-operator.crunchydata.com"


def seen(*bodies: dict[str, Any]) -> Snapshot:
    """A namespace with these objects."""
    return Snapshot.of(bodies)


def lack(body: dict[str, Any], *others: dict[str, Any]) -> str | None:
    """What an object lacks, beside others."""
    return readiness.unready_reason(manifest.from_body(body, "here"), seen(body, *others))


def pod(name: str, labels: dict[str, str], *, ready: bool = True) -> dict[str, Any]:
    """A pod that runs."""
    condition = {"type": "Ready", "status": str(ready)}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "status": {"phase": "Running", "conditions": [condition]},
    }


def postgres(**status: Any) -> dict[str, Any]:
    """A PostgresCluster of two instances, ready unless said otherwise."""
    ready = {
        "observedGeneration": 2,
        "instances": [
            {"name": "instance1", "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}
        ],
        "databaseRevision": "a",
        "usersRevision": "b",
        "proxy": {"pgBouncer": {"replicas": 1, "readyReplicas": 1}},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "PostgresCluster",
        "metadata": {"name": "pg", "generation": 2},
        "spec": {"instances": [{"replicas": 2}], "proxy": {"pgBouncer": {"replicas": 1}}},
        "status": {**ready, **status},
    }


LEADER = pod("pg-0", {CLUSTER_LABEL: "pg", ROLE_LABEL: "master"})


@pytest.mark.parametrize("role", ["master", "primary"])
def test_a_postgres_cluster_is_ready_with_its_leader_users_and_pool(role: str) -> None:
    leader = pod("pg-0", {CLUSTER_LABEL: "pg", ROLE_LABEL: role})
    assert lack(postgres(), leader) is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"observedGeneration": 1}, "has not observed its last change"),
        ({"instances": [{"readyReplicas": 1}]}, "1 of 2 PostgreSQL instances"),
        ({"instances": []}, "0 of 2 PostgreSQL instances"),
        ({"usersRevision": ""}, "databases and users"),
        ({"proxy": {}}, "0 of 1 pgBouncer"),
    ],
)
def test_a_postgres_cluster_reports_what_it_lacks(status: dict[str, Any], said: str) -> None:
    assert said in str(lack(postgres(**status), LEADER))


def test_a_postgres_cluster_without_a_ready_leader_is_not_ready() -> None:
    other = pod("pg-0", {CLUSTER_LABEL: "other", ROLE_LABEL: "master"})
    assert lack(postgres(), other) == "no instance is the leader"
    sick = pod("pg-0", {CLUSTER_LABEL: "pg", ROLE_LABEL: "master"}, ready=False)
    assert lack(postgres(), sick) == "no instance is the leader"


def member(name: str, role: str, status: str) -> dict[str, Any]:
    """An instance with the state that Patroni has written."""
    instance = pod(name, {CLUSTER_LABEL: "pg", ROLE_LABEL: role})
    instance["metadata"]["annotations"] = {"status": status}
    return instance


def on_timeline(number: int) -> str:
    """The state of an instance that runs."""
    return json.dumps({"state": "running", "timeline": number})


def test_a_replica_of_another_timeline_than_the_leader_does_not_follow() -> None:
    leader = member("pg-0", "master", on_timeline(3))
    assert lack(postgres(), leader, member("pg-1", "replica", on_timeline(3))) is None
    diverged = member("pg-1", "replica", on_timeline(1))
    reason = "replica pg-1 does not follow the leader: it is on timeline 1, the leader on 3"
    assert lack(postgres(), leader, diverged) == reason
    objects = seen(postgres(), leader, diverged)
    assert "0 of 1 replicas" in pgo_readiness.summary(postgres(), objects)


@pytest.mark.parametrize(
    "status",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        '{"timeline": 1}',
        '{"state": "starting", "timeline": 1}',
        '{"state": "running", "timeline": null}',
        '{"state": "running", "timeline": 1e999}',
    ],
)
def test_a_replica_without_a_timeline_is_not_judged(status: str) -> None:
    leader = member("pg-0", "master", on_timeline(3))
    assert lack(postgres(), leader, member("pg-1", "replica", status)) is None
    assert lack(postgres(), member("pg-0", "master", status), LEADER) is None


def failover(replicas: int = 2) -> dict[str, Any]:
    """A RedisFailover with one Sentinel."""
    return {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": "rf"},
        "spec": {"redis": {"replicas": replicas}, "sentinel": {"replicas": 1}},
    }


def redis_pod(name: str, part: str, role: str = "", *, ready: bool = True) -> dict[str, Any]:
    """One of its pods."""
    labels = {redis.FAILOVER_LABEL: "rf", redis.COMPONENT_LABEL: part}
    return pod(name, {**labels, **({redis.ROLE_LABEL: role} if role else {})}, ready=ready)


MASTER = redis_pod("r0", "redis", "master")
REPLICA = redis_pod("r1", "redis", "slave")
SENTINEL = redis_pod("s0", "sentinel")


def test_a_failover_is_ready_with_one_master_and_all_pods() -> None:
    assert lack(failover(), MASTER, REPLICA, SENTINEL) is None


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([], "0 of 2 Redis pods are ready"),
        ([MASTER, redis_pod("r1", "redis", "slave", ready=False), SENTINEL], "1 of 2 Redis"),
        ([MASTER, REPLICA], "0 of 1 Sentinel"),
        ([redis_pod("r0", "redis"), REPLICA, SENTINEL], "no Redis pod is the master"),
        ([MASTER, redis_pod("r1", "redis", "master"), SENTINEL], "2 of the Redis pods are"),
    ],
)
def test_a_failover_reports_what_it_lacks(pods: list[dict[str, Any]], said: str) -> None:
    assert said in str(lack(failover(), *pods))


def test_a_pod_that_disappears_does_not_count() -> None:
    deleting = {**MASTER, "metadata": {**MASTER["metadata"], "deletionTimestamp": "now"}}
    assert "1 of 2 Redis" in str(lack(failover(), deleting, REPLICA, SENTINEL))


def test_the_redis_operator_is_triggered_only_when_it_has_work_it_does_not_see() -> None:
    assert is_waiting(failover(), seen())
    assert is_waiting(failover(), seen(redis_pod("r0", "redis"), REPLICA, SENTINEL))
    assert not is_waiting(failover(), seen(MASTER, REPLICA, SENTINEL))
    starting = {**SENTINEL, "status": {"phase": "Pending"}}
    assert not is_waiting(failover(), seen(redis_pod("r0", "redis"), REPLICA, starting))
    without_master = redis_pod("s0", "sentinel", ready=False)
    assert is_waiting(failover(), seen(MASTER, REPLICA, without_master))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "the Secret target is not synced from Vault yet"),
        ({"secretMAC": "x", "lastGeneration": 1}, "is not synced again"),
        ({"secretMAC": "x", "lastGeneration": 2}, "None"),
    ],
)
def test_a_vault_secret_is_ready_when_its_last_change_is_synced(
    status: dict[str, Any], said: str
) -> None:
    body = {
        "apiVersion": "secrets.hashicorp.com/v1beta1",
        "kind": "VaultStaticSecret",
        "metadata": {"name": "secret", "generation": 2},
        "spec": {"destination": {"name": "target"}},
        "status": status,
    }
    assert said in str(lack(body))


def test_a_stateful_set_and_a_claim_are_ready_by_their_status() -> None:
    stateful: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "set", "generation": 1},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, "readyReplicas": 1},
    }
    assert lack(stateful) == "1 of 2 pods are ready"
    assert lack({**stateful, "status": {**stateful["status"], "readyReplicas": 2}}) is None
    rolling = {"readyReplicas": 2, "currentRevision": "a", "updateRevision": "b"}
    assert (
        lack({**stateful, "status": {**stateful["status"], **rolling}}) == "pods are being replaced"
    )
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"}}
    assert lack(claim) == "the volume claim is Pending"
    assert lack({**claim, "status": {"phase": "Bound"}}) is None


def test_what_does_not_exist_misses_that_and_other_kinds_miss_nothing() -> None:
    ingress = {"apiVersion": "v1", "kind": "Ingress", "metadata": {"name": "a"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
    desired = [manifest.from_body(ingress, "here"), manifest.from_body(service, "here")]
    assert readiness.unready_reasons(desired, seen()) == {"Ingress/a": "it doesn't exist"}
    assert readiness.unready_reasons(desired, seen(ingress)) == {}


def test_a_route_is_ready_when_its_gateways_accept_it() -> None:
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "here"},
        "spec": {"parentRefs": [{"name": "public"}]},
    }
    assert lack(body) == "Gateway/public in here has no controller that has reported on it"
    accepted = {"type": "Accepted", "status": "True"}
    report = {"parentRef": {"name": "public"}, "conditions": [accepted]}
    assert lack({**body, "status": {"parents": [report]}}) is None


@pytest.mark.parametrize(("deployed", "reason"), [(1, "it is scaled to 0 pods"), (0, None)])
def test_a_component_without_pods_is_ready_only_if_its_release_has_none(
    deployed: int, reason: str | None
) -> None:
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "jobs"},
        "spec": {"replicas": deployed},
    }
    live = {**body, "spec": {"replicas": 0}, "status": {}}
    assert readiness.unready_reason(manifest.from_body(body, "here"), seen(live)) == reason
