"""The pods that a release will have, derived from its objects. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import common_labels, objects, quantities
from vrooli.kube.quantities import Amounts
from vrooli.operators.pgo.names import CLUSTER_LABEL

# The field of an autoscaler that contains its minimum number of pods, by kind.
_LEAST = {"HorizontalPodAutoscaler": "minReplicas", "ScaledObject": "minReplicaCount"}


@dataclass(frozen=True)
class PodGroup:
    """A group of identical pods.

    Attributes:
        name: The name of their workload.
        count: The number of pods.
        requests: The resource requests of each pod.
        selector: The node selector.
        tolerations: The tolerations.
    """

    name: str
    count: int
    requests: Amounts
    selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()


def planned_pods(manifests: Iterable[Manifest]) -> list[PodGroup]:
    """The long-running pods of the release."""
    objects = list(manifests)
    least = {
        str(item.body["spec"]["scaleTargetRef"]["name"]): int(item.body["spec"][_LEAST[item.kind]])
        for item in objects
        if item.kind in _LEAST
    }
    pods: list[PodGroup] = []
    for item in objects:
        spec = item.body.get("spec") or {}
        if item.kind in ("Deployment", "StatefulSet"):
            pods.append(_deployment(item.name, spec, least))
        elif item.kind == "PostgresCluster":
            pods += _postgres(item.name, spec)
        elif item.kind == "RedisFailover":
            pods += _redis(item.name, spec)
    return pods


def _deployment(name: str, spec: Mapping[str, Any], least: Mapping[str, int]) -> PodGroup:
    pod = spec["template"]["spec"]
    count = int(spec.get("replicas", least.get(name, 1)))
    return PodGroup(
        name,
        count,
        quantities.of_pod(pod),
        pod.get("nodeSelector") or {},
        tuple(pod.get("tolerations") or ()),
    )


def _postgres(name: str, spec: Mapping[str, Any]) -> Iterator[PodGroup]:
    """The pods that PGO creates: instances with sidecars, pgBouncer, the repository host."""
    backups = spec["backups"]["pgbackrest"]
    helpers = _sidecars(backups, "pgbackrest", "pgbackrestConfig")
    exporter = (spec.get("monitoring") or {}).get("pgmonitor", {}).get("exporter", {})
    for instance in spec["instances"]:
        parts = (
            quantities.requests(instance.get("resources")),
            _sidecars(instance, "replicaCertCopy"),
            helpers,
            quantities.requests(exporter.get("resources")),
        )
        count = int(instance.get("replicas", 1))
        yield PodGroup(f"{name} instance", count, quantities.total(*parts))
    pool = (spec.get("proxy") or {}).get("pgBouncer")
    if pool:
        own = quantities.requests(pool.get("resources"))
        each = quantities.total(own, _sidecars(pool, "pgbouncerConfig"))
        yield PodGroup(f"{name} pgbouncer", int(pool.get("replicas", 1)), each)
    host = quantities.requests((backups.get("repoHost") or {}).get("resources"))
    yield PodGroup(f"{name} repo-host", 1, quantities.total(host, helpers))


def _sidecars(spec: Mapping[str, Any], *names: str) -> Amounts:
    objects = spec.get("sidecars") or {}
    each = (quantities.requests((objects.get(name) or {}).get("resources")) for name in names)
    return quantities.total(*each)


def _redis(name: str, spec: Mapping[str, Any]) -> Iterator[PodGroup]:
    for part in ("redis", "sentinel"):
        own = spec[part]
        exporter = own.get("exporter") or {}
        exporter_requests = (
            quantities.requests(exporter.get("resources")) if exporter.get("enabled") else {}
        )
        each = quantities.total(quantities.requests(own.get("resources")), exporter_requests)
        yield PodGroup(f"{name} {part}", int(own.get("replicas", 1)), each)


def is_ours(pod: Mapping[str, Any], namespace: str, manifests: Iterable[Manifest]) -> bool:
    """Whether a pod belongs to this release, so that a deploy replaces it."""
    metadata = pod["metadata"]
    if metadata.get("namespace") != namespace:
        return False
    labels = metadata.get("labels") or {}
    for item in manifests:
        own = objects.labels(item.body).get(common_labels.INSTANCE)
        if (
            item.kind in ("Deployment", "StatefulSet")
            and labels.get(common_labels.INSTANCE) == own is not None
        ):
            return True
        if item.kind == "PostgresCluster" and labels.get(CLUSTER_LABEL) == item.name:
            return True
        if item.kind == "RedisFailover" and labels.get(common_labels.NAME) == item.name:
            return True
    return False
