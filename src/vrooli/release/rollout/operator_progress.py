"""What an operator has not done, or can't do, of what its resource asks for. Pure readings.

PGO writes into `observedGeneration` that it has looked, whatever came of it, and RedisFailover has
no status: what both make (volumes, StatefulSets, pods) is compared with what is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from vrooli.kube import quantities
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import deployment_unready_reason, workload_status
from vrooli.operators import claims, postgres_data

Body = Mapping[str, Any]

REVISION_HASH = "controller-revision-hash"
# What PGO says of volumes that it can't resize, and of a resource that it leaves alone.
RESIZING, RESIZE_ERROR = "PersistentVolumeResizing", "PersistentVolumeResizeError"
PROGRESSING = "Progressing"
# A claim on its way to its new size.
CLAIM_RESIZING = ("Resizing", "FileSystemResizePending")


def refusals(body: Body, objects: Snapshot) -> Iterator[str]:
    """What the operator can't do for a resource; waiting doesn't change it.

    Args:
        body: A PostgresCluster or RedisFailover.
        objects: The namespace's objects.
    """
    for workload in _stateful_sets(body, objects):
        if message := refused_pods(workload, objects):
            yield f"the pods of StatefulSet/{workload['metadata']['name']} are refused: {message}"
    yield from refused_changes(body, objects)


def refused_changes(body: Body, objects: Snapshot) -> Iterator[str]:
    """What of a resource the operator can't bring to what is there.

    Args:
        body: A PostgresCluster or RedisFailover.
        objects: The namespace's objects.
    """
    if body["kind"] == "PostgresCluster":
        yield from _refused_conditions(body, objects)
        yield from _other_version(body, objects)
    else:
        yield from _other_storage(body, objects)
    for spec in claims.volume_specs(body):
        for claim in spec.claims(objects.all(claims.KIND)):
            yield from _refused_claim(spec, claim)


def undone(body: Body, objects: Snapshot) -> Iterator[str]:
    """What the operator has still to do for a resource.

    Args:
        body: A PostgresCluster or RedisFailover.
        objects: The namespace's objects.
    """
    yield from small_volumes(body, objects)
    for spec in claims.volume_specs(body):
        for claim in spec.claims(objects.all(claims.KIND)):
            if _has_condition(claim, CLAIM_RESIZING):
                yield f"the volume {claim['metadata']['name']} is on its way to {spec.size}"
    yield from (
        _old_instances(body) if body["kind"] == "PostgresCluster" else _old_redis(body, objects)
    )


def small_volumes(body: Body, objects: Snapshot) -> Iterator[str]:
    """The volumes whose claims ask for less than a resource does: the operator writes that first.

    Args:
        body: A PostgresCluster or RedisFailover.
        objects: The namespace's objects.
    """
    for spec in claims.volume_specs(body):
        for claim in spec.claims(objects.all(claims.KIND)):
            name, size = claim["metadata"]["name"], claims.storage_request(claim["spec"])
            if claims.compare_sizes(size, spec.size) < 0:
                yield f"the volume {name} has {size}, {spec.size} is asked for"


def refused_pods(workload: Body, objects: Snapshot) -> str:
    """Why the API server refuses a StatefulSet's pods; empty when it doesn't, or they are there."""
    name = workload["metadata"]["name"]
    owned = [pod for pod in objects.all("Pod") if _owner(pod) == ("StatefulSet", name)]
    if len(owned) >= workload["spec"].get("replicas", 1):
        return ""
    messages = [
        event.message
        for event in objects.events
        if event.reason == "FailedCreate"
        and (event.about.kind, event.about.name) == ("StatefulSet", name)
        and event.uid in ("", workload["metadata"].get("uid"))
    ]
    return " ".join(messages[-1].split()) if messages else ""


def changed_at(body: Body) -> datetime:
    """When somebody last changed what a resource asks for, as far as it says."""
    metadata = body["metadata"]
    times = [
        entry["time"]
        for entry in metadata.get("managedFields") or ()
        if entry.get("time") and not entry.get("subresource")
    ]
    time = max(times, default=metadata.get("creationTimestamp"))
    return (
        datetime.fromisoformat(time).astimezone(UTC) if time else datetime.min.replace(tzinfo=UTC)
    )


def owns(body: Body, other: Body) -> bool:
    """Whether an object was made from a resource, as its owner references say."""
    return (body["kind"], body["metadata"]["name"]) in {
        (one["kind"], one["name"]) for one in other["metadata"].get("ownerReferences") or ()
    }


def _owner(body: Body) -> tuple[str, str]:
    owners = body["metadata"].get("ownerReferences") or [{"kind": "", "name": ""}]
    return owners[0]["kind"], owners[0]["name"]


def _stateful_sets(body: Body, objects: Snapshot) -> list[Body]:
    return [one for one in objects.all("StatefulSet") if owns(body, one)]


def _has_condition(body: Body, kinds: Sequence[str], status: str = "True") -> Body | None:
    for condition in (body.get("status") or {}).get("conditions") or ():
        if condition["type"] in kinds and condition["status"] == status:
            match: Body = condition
            return match
    return None


def _refused_conditions(body: Body, objects: Snapshot) -> Iterator[str]:
    """What PGO's conditions say, with the API server's words from its events."""
    resizing = _has_condition(body, (RESIZING,), "False") or _has_condition(body, (RESIZE_ERROR,))
    if resizing is not None:
        messages = [
            event.message
            for event in objects.events
            if event.reason == "PersistentVolumeError"
            and (event.about.kind, event.about.name) == (body["kind"], body["metadata"]["name"])
        ]
        message = (messages[-1] if messages else "") or resizing.get("message", "")
        yield f"a volume can't be resized: {' '.join(str(message).split())}"
    paused = _has_condition(body, (PROGRESSING,), "False")
    if paused is not None:
        yield f"the operator changes nothing ({paused.get('reason')}): {paused.get('message', '')}"


def _other_version(body: Body, objects: Snapshot) -> Iterator[str]:
    """Instances that run another major version than is asked for."""
    version = body["spec"].get("postgresVersion")
    if version is None or postgres_data.is_upgraded(body):
        return
    actual = postgres_data.data_versions(body["metadata"]["name"], objects.pods())
    if actual - {version}:
        others = " and ".join(map(str, sorted(actual - {version})))
        yield (
            f"its instances run PostgreSQL {others}, {version} is asked for: only a PGUpgrade, or "
            "a dump and a restore, brings data to another major version"
        )


def _refused_claim(spec: claims.VolumeSpec, claim: Body) -> Iterator[str]:
    name, size = claim["metadata"]["name"], claims.storage_request(claim["spec"])
    storage_class = str(claim["spec"].get("storageClassName") or "")
    if spec.storage_class and spec.storage_class != storage_class:
        yield f"the volume {name} is of class {storage_class}, {spec.storage_class} is asked for"
    limits = (spec.spec.get("resources") or {}).get("limits") or {}
    if claims.compare_sizes(size, spec.size) > 0 and "storage" not in limits:
        yield f"the volume {name} has {size}, {spec.size} is asked for: it can't become smaller"


def _other_storage(body: Body, objects: Snapshot) -> Iterator[str]:
    """Redis' data on volumes that are not asked for, or off those that are."""
    runner = objects.find("StatefulSet", f"rfr-{body['metadata']['name']}")
    if runner is None or not owns(body, runner):
        return
    has_volumes = bool(runner["spec"].get("volumeClaimTemplates"))
    if has_volumes != (claims.redis_claim(body) is not None):
        current, desired = ("on volumes", "none") if has_volumes else ("in an emptyDir", "volumes")
        reason = "a StatefulSet's volumes can't be changed"
        yield f"its data are {current}, {desired} are requested: {reason}"


def _old_instances(body: Body) -> Iterator[str]:
    """Instances that aren't of the current version of their StatefulSets."""
    instances = (body.get("status") or {}).get("instances") or ()
    count = sum(one.get("replicas", 0) for one in instances)
    updated = sum(one.get("updatedReplicas", 0) for one in instances)
    if updated < count:
        yield f"{updated} of {count} PostgreSQL instances are of the current version"


def _old_redis(body: Body, objects: Snapshot) -> Iterator[str]:
    """Parts of a RedisFailover that don't have its settings yet, or run in pods without them."""
    name = body["metadata"]["name"]
    runner = objects.find("StatefulSet", f"rfr-{name}")
    if runner is not None and owns(body, runner):
        if not _has_settings(runner, body["spec"]["redis"], "redis"):
            yield "its StatefulSet doesn't have its last change yet"
        elif outdated := outdated_pods(runner, objects):
            count = body["spec"]["redis"].get("replicas", 3)
            yield f"{len(outdated)} of {count} Redis pods are of the version before"
    watcher = objects.find("Deployment", f"rfs-{name}")
    if watcher is not None and owns(body, watcher):
        if not _has_settings(watcher, body["spec"]["sentinel"], "sentinel"):
            yield "its Sentinels' Deployment doesn't have its last change yet"
        elif reason := deployment_unready_reason(watcher):
            yield f"of Sentinel, {reason}"


def outdated_pods(runner: Body, objects: Snapshot) -> list[Body]:
    """A StatefulSet's pods that aren't of its current revision."""
    revision = workload_status(runner).revision
    name = runner["metadata"]["name"]
    return [
        pod
        for pod in objects.pods()
        if revision
        and _owner(pod) == ("StatefulSet", name)
        and (pod["metadata"].get("labels") or {}).get(REVISION_HASH) != revision
    ]


def _has_settings(workload: Body, settings: Body, container: str) -> bool:
    """Whether a workload's container has the image and the resources that are asked for."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    actual = next((one for one in containers if one["name"] == container), None)
    if actual is None:
        return True
    image = settings.get("image")
    if image and actual.get("image") != image:
        return False
    requested, current = settings.get("resources") or {}, actual.get("resources") or {}
    return all(
        quantities.amounts(requested.get(kind)).items()
        <= quantities.amounts(current.get(kind)).items()
        for kind in ("requests", "limits")
    )
