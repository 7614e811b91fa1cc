"""When a RedisFailover is ready, and which of its changes are refused or not made yet.

RedisFailover 1.2.4 has no status: its pods and workloads are read. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.kube.objects import Body, number, ref_of
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import deployment_unready_reason, is_pod_ready
from vrooli.operators.progress import has_settings, outdated_pods, owns
from vrooli.operators.reconciliation import Evidence, samples
from vrooli.operators.redis import names
from vrooli.operators.redis.volumes import claim_template

# The operator's metric of each RedisFailover: 1 if its last reconciliation succeeded.
RECONCILED = "redis_operator_controller_cluster_ok"


def unready_reason(body: Body, objects: Snapshot) -> str | None:
    """Every Redis and Sentinel ready, and exactly one master among the Redis."""
    for component, title in ((names.REDIS, "Redis"), (names.SENTINEL, "Sentinel")):
        ready, desired = _counts(body, objects, component)
        if ready < desired:
            return f"{ready} of {desired} {title} pods are ready"
    masters = len(_masters(body, objects))
    if masters == 1:
        return None
    return (
        f"{masters} of the Redis pods are the master" if masters else "no Redis pod is the master"
    )


def summary(body: Body, objects: Snapshot) -> str:
    """Redis, Sentinels, master and quorum."""
    redis, redis_desired = _counts(body, objects, names.REDIS)
    sentinels, sentinels_desired = _counts(body, objects, names.SENTINEL)
    masters = ", ".join(pod["metadata"]["name"] for pod in _masters(body, objects))
    quorum = sentinels_desired // 2 + 1
    return ", ".join(
        [
            f"{redis} of {redis_desired} Redis",
            f"{sentinels} of {sentinels_desired} Sentinels",
            f"master {masters}" if masters else "no master",
            f"quorum of {quorum} {'is reached' if sentinels >= quorum else 'is missing'}",
        ]
    )


def _counts(body: Body, objects: Snapshot, component: str) -> tuple[int, int]:
    """The ready pods of a component, and the desired ones."""
    desired = number(body, "spec", component, "replicas", default=names.DEFAULT_REPLICAS)
    labels = {
        names.FAILOVER_LABEL: body["metadata"]["name"],
        names.COMPONENT_LABEL: component,
    }
    return sum(map(is_pod_ready, objects.active_pods(labels))), desired


def _masters(body: Body, objects: Snapshot) -> list[Body]:
    labels = {
        names.FAILOVER_LABEL: body["metadata"]["name"],
        names.COMPONENT_LABEL: names.REDIS,
        names.ROLE_LABEL: "master",
    }
    return objects.active_pods(labels)


def refused_changes(body: Body, objects: Snapshot) -> Iterator[str]:
    """Redis' data on volumes that are not requested, or in an emptyDir if volumes are."""
    stateful_set = objects.find("StatefulSet", names.stateful_set_name(body["metadata"]["name"]))
    if stateful_set is None or not owns(body, stateful_set):
        return
    has_volumes = bool(stateful_set["spec"].get("volumeClaimTemplates"))
    if has_volumes != (claim_template(body) is not None):
        now, then = ("on volumes", "none are") if has_volumes else ("in an emptyDir", "volumes are")
        yield (
            f"its data is {now}, {then} requested: the volumes of a StatefulSet cannot be changed"
        )


def pending_changes(body: Body, objects: Snapshot) -> Iterator[str]:
    """Parts of a RedisFailover that do not have its settings yet, or whose pods do not."""
    name = body["metadata"]["name"]
    stateful_set = objects.find("StatefulSet", names.stateful_set_name(name))
    if stateful_set is not None and owns(body, stateful_set):
        if not has_settings(stateful_set, body["spec"]["redis"], names.REDIS):
            yield "its StatefulSet does not have its last change yet"
        elif outdated := outdated_pods(stateful_set, objects):
            count = number(body, "spec", "redis", "replicas", default=names.DEFAULT_REPLICAS)
            yield f"{len(outdated)} of {count} Redis pods are of the previous version"
    sentinel = objects.find("Deployment", names.sentinel_name(name))
    if sentinel is not None and owns(body, sentinel):
        if not has_settings(sentinel, body["spec"]["sentinel"], names.SENTINEL):
            yield "its Sentinels' Deployment does not have its last change yet"
        elif reason := deployment_unready_reason(sentinel):
            yield f"Sentinel: {reason}"


def unreconciled(evidence: Evidence) -> Iterator[str]:
    """The RedisFailovers whose last reconciliation since the operator's start did not succeed."""
    succeeded = {
        (labels.get("namespace"), labels.get("name"))
        for labels, value in samples(evidence.metrics, RECONCILED)
        if value
    }
    for body in evidence.bodies:
        ref = ref_of(body)
        if (ref.namespace, ref.name) not in succeeded:
            yield f"{names.KIND}/{ref.name} in namespace {ref.namespace} is not reconciled"
