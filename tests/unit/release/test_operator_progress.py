"""What an operator has not done, or can't do, keeps a database from being called ready."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.operators import progress as operator_progress
from vrooli.operators.pgo.names import API_VERSION, CLUSTER_LABEL, INSTANCE_SET_LABEL, ROLE_LABEL
from vrooli.operators.redis import names as redis
from vrooli.release.rollout import readiness
from vrooli.release.rollout.context import RolloutContext
from vrooli.release.rollout.redis_reconcile import is_waiting
from vrooli.release.rollout.refusals import OPERATED_S, PODS_S, RESIZED_S, find_refusals

Body = dict[str, Any]
DUPLICATE = 'Pod "pg-instance1-abcd-0" is invalid: duplicate entries for key [topologyKey=…]'


def objects(*bodies: Body) -> Snapshot:
    """A namespace with these objects."""
    return Snapshot.of(bodies)


def reason_of(body: Body, *others: Body) -> str | None:
    """What an object lacks, beside others."""
    return readiness.unready_reason(manifest.from_body(body, "here"), objects(body, *others))


def failures_of(body: Body, *others: Body) -> list[str]:
    """What ends a deploy, once it has lasted."""
    context_ = RolloutContext(
        (manifest.from_body(body, "here"),), objects(body, *others), None, datetime.now(UTC)
    )
    found = list(find_refusals(context_))
    return [str(item) for item in found if item.grace_period_s != RESIZED_S]


def resizing(body: Body, *others: Body) -> list[str]:
    """What ends a deploy once it has lasted for longer than an operator takes to look."""
    context_ = RolloutContext(
        (manifest.from_body(body, "here"),), objects(body, *others), None, datetime.now(UTC)
    )
    return [str(item) for item in find_refusals(context_) if item.grace_period_s == RESIZED_S]


def owned(kind: str, name: str, owner: Body, **body: Any) -> Body:
    """An object that an operator made."""
    reference = {"kind": owner["kind"], "name": owner["metadata"]["name"]}
    metadata = {"name": name, "ownerReferences": [reference], **body.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, **body}


def pod(name: str, labels: dict[str, str], owner: str = "", version: int = 15) -> Body:
    """A pod that is ready."""
    environment = [{"name": "PGDATA", "value": f"/pgdata/pg{version}"}]
    references = [{"kind": "StatefulSet", "name": owner}] if owner else []
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": references},
        "spec": {"containers": [{"name": "database", "env": environment}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def claim(name: str, labels: dict[str, str], size: str, **status: Any) -> Body:
    """A volume's claim."""
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels},
        "spec": {"storageClassName": "local", "resources": {"requests": {"storage": size}}},
        "status": status,
    }


def asks(size: str, **settings: Any) -> Body:
    """A claim's specification."""
    return {"resources": {"requests": {"storage": size}}, **settings}


# PostgreSQL


def postgres(*conditions: Body, version: int = 15, size: str = "1Gi", **status: Any) -> Body:
    """A PostgresCluster of one instance that is ready, by its status."""
    instance = {"name": "instance1", "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}
    ready = {
        "observedGeneration": 2,
        "instances": [instance],
        "databaseRevision": "a",
        "usersRevision": "b",
        "conditions": list(conditions),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "PostgresCluster",
        "metadata": {"name": "pg", "generation": 2},
        "spec": {
            "postgresVersion": version,
            "instances": [{"name": "instance1", "dataVolumeClaimSpec": asks(size)}],
        },
        "status": {**ready, **status},
    }


LEADER = pod("pg-0", {CLUSTER_LABEL: "pg", ROLE_LABEL: "master"})
DATA = {CLUSTER_LABEL: "pg", INSTANCE_SET_LABEL: "instance1", ROLE_LABEL: "pgdata"}
VOLUME = claim("pg-pgdata", DATA, "1Gi")


def test_a_database_as_it_is_prompted_for_misses_nothing() -> None:
    assert reason_of(postgres(), LEADER, VOLUME) is None
    assert failures_of(postgres(), LEADER, VOLUME) == []


def test_another_major_version_than_the_data_have_is_not_ready() -> None:
    wrong = postgres(version=14)
    assert "run PostgreSQL 15, 14 is requested" in str(reason_of(wrong, LEADER, VOLUME))
    assert "PGUpgrade" in failures_of(wrong, LEADER, VOLUME)[0]


def test_a_version_that_a_pgupgrade_has_reached_is_waited_for() -> None:
    upgraded = postgres(version=16, postgresVersion=16)
    assert failures_of(upgraded, LEADER) == []


def test_a_volume_that_has_not_grown_yet_is_waited_for() -> None:
    larger = postgres(size="2Gi")
    assert reason_of(larger, LEADER, VOLUME) == "the volume pg-pgdata has 1Gi, 2Gi is requested"
    assert failures_of(larger, LEADER, VOLUME) == []
    resizing = claim("pg-pgdata", DATA, "2Gi", conditions=[{"type": "Resizing", "status": "True"}])
    assert reason_of(larger, LEADER, resizing) == "the volume pg-pgdata is being resized to 2Gi"


def test_a_volume_that_can_not_shrink_ends_a_deploy() -> None:
    smaller = postgres(size="512Mi")
    assert "it cannot become smaller" in str(reason_of(smaller, LEADER, VOLUME))
    assert len(failures_of(smaller, LEADER, VOLUME)) == 1


def test_a_volume_that_grew_by_itself_within_its_limit_is_fine() -> None:
    body = postgres()
    body["spec"]["instances"][0]["dataVolumeClaimSpec"]["resources"]["limits"] = {"storage": "4Gi"}
    assert reason_of(body, LEADER, claim("pg-pgdata", DATA, "2Gi")) is None


def test_the_operators_refusal_to_resize_is_reported_in_the_api_servers_words() -> None:
    condition = {
        "type": "PersistentVolumeResizing",
        "status": "False",
        "reason": "Forbidden",
        "message": "One or more volumes cannot be resized",
    }
    body = postgres(condition)
    assert reason_of(body, LEADER, VOLUME) == (
        "a volume cannot be resized: One or more volumes cannot be resized"
    )
    event = {
        "kind": "Event",
        "metadata": {"name": "e"},
        "reason": "PersistentVolumeError",
        "involvedObject": {"kind": "PostgresCluster", "name": "pg"},
        "message": "only dynamically provisioned pvc can be resized",
    }
    assert failures_of(body, LEADER, VOLUME, event) == [
        "PostgresCluster/pg: refused (a volume cannot be resized: only dynamically provisioned pvc "
        "can be resized)"
    ]


def test_a_cluster_that_its_operator_leaves_alone_is_not_ready() -> None:
    paused = {"type": "Progressing", "status": "False", "reason": "Paused", "message": "Nothing."}
    assert reason_of(postgres(paused), LEADER) == "the operator changes nothing (Paused): Nothing."


def test_old_pods_are_not_enough() -> None:
    instance = {"name": "instance1", "replicas": 1, "readyReplicas": 1}
    old = postgres(instances=[instance])
    assert (
        reason_of(old, LEADER, VOLUME) == "0 of 1 PostgreSQL instances are of the current version"
    )


def runner(owner: Body, name: str, **spec: Any) -> Body:
    """A StatefulSet of an operator's."""
    return owned("StatefulSet", name, owner, spec={"replicas": 1, **spec}, status={})


def refusal(name: str, message: str = DUPLICATE) -> Body:
    """What the StatefulSet's controller says."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1"},
        "reason": "FailedCreate",
        "involvedObject": {"kind": "StatefulSet", "name": name},
        "message": message,
    }


def test_pods_that_the_api_server_refuses_are_reported_and_end_a_deploy() -> None:
    body = postgres(instances=[])
    others = runner(body, "pg-instance1-abcd"), refusal("pg-instance1-abcd")
    said = f"the pods of StatefulSet/pg-instance1-abcd are refused: {DUPLICATE}"
    assert reason_of(body, *others) == said
    assert failures_of(body, *others) == [f"PostgresCluster/pg: refused ({said})"]


def test_an_old_refusal_reports_nothing_once_the_pod_is_there() -> None:
    body, name = postgres(), "pg-instance1-abcd"
    leader = pod("pg-0", {CLUSTER_LABEL: "pg", ROLE_LABEL: "master"}, name)
    assert reason_of(body, runner(body, name), refusal(name), leader, VOLUME) is None


def test_a_quota_is_reported_and_waited_for() -> None:
    body, name = postgres(instances=[]), "pg-instance1-abcd"
    others = runner(body, name), refusal(name, "pods is forbidden: exceeded quota: small")
    assert "exceeded quota" in str(reason_of(body, *others))
    assert failures_of(body, *others) == []


@pytest.mark.parametrize(
    ("message", "grace_period_s"),
    [
        (DUPLICATE, OPERATED_S),
        ('pods "pg-0" is forbidden: serviceaccount "pg-instance" not found', PODS_S),
    ],
)
def test_what_a_pod_misses_is_given_more_time_than_an_invalid_pod(
    message: str, grace_period_s: float
) -> None:
    body, name = postgres(instances=[]), "pg-instance1-abcd"
    seen = objects(body, runner(body, name), refusal(name, message))
    context_ = RolloutContext((manifest.from_body(body, "here"),), seen, None, datetime.now(UTC))
    assert [item.grace_period_s for item in find_refusals(context_)] == [grace_period_s]


def test_a_stateful_set_of_another_tool_does_not_count() -> None:
    body = postgres()
    other = runner({"kind": "PostgresCluster", "metadata": {"name": "other"}}, "other-abcd")
    assert reason_of(body, other, refusal("other-abcd"), LEADER, VOLUME) is None


# Redis


def failover(size: str = "512Mi", memory: str = "100Mi", *, volumes: bool = True) -> Body:
    """A RedisFailover of one Redis and one Sentinel."""
    template = {"metadata": {"name": "data"}, "spec": asks(size)}
    storage = {"persistentVolumeClaim": template} if volumes else {"emptyDir": {}}
    settings = {"image": "redis:7", "resources": {"limits": {"memory": memory, "cpu": "0.5"}}}
    return {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": "rf"},
        "spec": {
            "redis": {"replicas": 1, "storage": storage, **settings},
            "sentinel": {"replicas": 1, **settings},
        },
    }


def template(container: str, memory: str = "100Mi") -> Body:
    """The pods of an operator's workload."""
    resources = {"limits": {"memory": memory, "cpu": "500m"}}
    return {
        "spec": {"containers": [{"name": container, "image": "redis:7", "resources": resources}]}
    }


def redis_pod(name: str, part: str, revision: str = "new", **labels: str) -> Body:
    """One of its pods."""
    own = {
        redis.FAILOVER_LABEL: "rf",
        redis.COMPONENT_LABEL: part,
        operator_progress.REVISION_HASH: revision,
        **labels,
    }
    return pod(name, own, "rfr-rf" if part == "redis" else "")


MASTER = redis_pod("r0", "redis", **{redis.ROLE_LABEL: "master"})
SENTINEL = redis_pod("s0", "sentinel")
REDIS_LABELS = {
    "app.kubernetes.io/component": "redis",
    "app.kubernetes.io/name": "rf",
    "app.kubernetes.io/part-of": "redis-failover",
}
REDIS_VOLUME = claim("data-rfr-rf-0", REDIS_LABELS, "512Mi")


def stateful(owner: Body, memory: str = "100Mi", *, volumes: bool = True) -> Body:
    """Redis' StatefulSet, as the operator made it."""
    spec = {"template": template("redis", memory), "replicas": 1}
    spec |= {"volumeClaimTemplates": [{}]} if volumes else {}
    return owned("StatefulSet", "rfr-rf", owner, spec=spec, status={"updateRevision": "new"})


def test_a_redis_as_it_is_prompted_for_misses_nothing() -> None:
    assert reason_of(failover(), MASTER, SENTINEL, REDIS_VOLUME, stateful(failover())) is None
    assert failures_of(failover(), MASTER, SENTINEL, REDIS_VOLUME, stateful(failover())) == []


def test_a_redis_volume_that_retains_its_size_is_not_ready() -> None:
    said = reason_of(failover("1Gi"), MASTER, SENTINEL, REDIS_VOLUME, stateful(failover()))
    assert said == "the volume data-rfr-rf-0 has 512Mi, 1Gi is requested"
    assert resizing(failover("1Gi"), REDIS_VOLUME) == [f"RedisFailover/rf: refused ({said})"]
    assert resizing(failover(), REDIS_VOLUME) == []


def test_a_change_that_the_operator_has_not_adopted_is_waited_for() -> None:
    said = reason_of(failover(memory="200Mi"), MASTER, SENTINEL, REDIS_VOLUME, stateful(failover()))
    assert said == "its StatefulSet does not have its last change yet"


def test_a_redis_pod_of_the_version_before_is_waited_for_and_its_operator_triggered() -> None:
    old = redis_pod("r0", "redis", "old", **{redis.ROLE_LABEL: "master"})
    others = (old, SENTINEL, REDIS_VOLUME, stateful(failover()))
    assert reason_of(failover(), *others) == "1 of 1 Redis pods are of the previous version"
    assert is_waiting(failover(), objects(*others))
    assert not is_waiting(failover(), objects(MASTER, SENTINEL, stateful(failover())))


def test_sentinels_of_the_version_before_are_waited_for() -> None:
    deployment = owned(
        "Deployment", "rfs-rf", failover(), spec={"template": template("sentinel", "64Mi")}
    )
    said = reason_of(failover(), MASTER, SENTINEL, REDIS_VOLUME, deployment)
    assert said == "its Sentinels' Deployment does not have its last change yet"


@pytest.mark.parametrize("volumes", [True, False])
def test_data_that_would_have_to_move_end_a_deploy(volumes: bool) -> None:
    body = failover(volumes=not volumes)
    others = (MASTER, SENTINEL, stateful(body, volumes=volumes))
    assert "the volumes of a StatefulSet cannot be changed" in str(reason_of(body, *others))
    assert len(failures_of(body, *others)) == 1


# Deployments


def test_a_deployment_whose_pods_are_refused_reports_so_and_ends_a_deploy() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ui"},
        "spec": {"replicas": 1},
        "status": {"conditions": [condition]},
    }
    assert reason_of(body) == "0 of 1 pods are of the current version: violates PodSecurity"
    assert failures_of(body) == ["Deployment/ui: refused (violates PodSecurity)"]
