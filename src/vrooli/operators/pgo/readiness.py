"""When a PostgresCluster is ready, and which of its changes PGO refuses or has not made yet.

PostgresCluster has no Ready condition: its status and its pods are read. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.kube.events import Event
from vrooli.kube.objects import Body, items, mapping, number, text
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import find_condition, is_observed, is_pod_ready
from vrooli.operators.pgo import data_version, images, members, names
from vrooli.operators.progress import changed_at

# PGO's conditions of volumes that it cannot resize, and of a resource that it does not reconcile.
RESIZING, RESIZE_ERROR = "PersistentVolumeResizing", "PersistentVolumeResizeError"
PROGRESSING = "Progressing"


def unready_reason(body: Body, objects: Snapshot) -> str | None:
    """Every instance ready, one of them the leader, users with their databases, and the pool."""
    if not is_observed(body):
        return "the operator has not observed its last change yet"
    desired = sum(number(item, "replicas", default=1) for item in items(body, "spec", "instances"))
    ready = sum(number(item, "readyReplicas") for item in items(body, "status", "instances"))
    if ready < desired:
        return f"{ready} of {desired} PostgreSQL instances are ready"
    if not any(map(is_pod_ready, _pods(body, objects, *names.LEADER_ROLES))):
        return "no instance is the leader"
    if replicas := members.diverged(_pods(body, objects, *names.LEADER_ROLES, "replica")):
        return str(replicas[0])
    if not text(body, "status", "databaseRevision") or not text(body, "status", "usersRevision"):
        return "its databases and users are not created yet"
    pool = mapping(body, "spec", "proxy", "pgBouncer")
    desired = number(pool, "replicas", default=1) if pool else 0
    ready = number(body, "status", "proxy", "pgBouncer", "readyReplicas")
    return f"{ready} of {desired} pgBouncer pods are ready" if ready < desired else None


def summary(body: Body, objects: Snapshot) -> str:
    """Instances, leader, replicas, pool and backups."""
    return ", ".join(_summary(body, objects))


def _summary(body: Body, objects: Snapshot) -> Iterator[str]:
    desired = sum(number(item, "replicas", default=1) for item in items(body, "spec", "instances"))
    ready = sum(number(item, "readyReplicas") for item in items(body, "status", "instances"))
    yield f"{ready} of {desired} instances are ready"
    leaders = _pods(body, objects, *names.LEADER_ROLES)
    leader_names = ", ".join(pod["metadata"]["name"] for pod in leaders)
    yield f"leader {leader_names}" if leader_names else "no leader"
    if desired > 1:
        replicas = _pods(body, objects, "replica")
        behind = [item.pod for item in members.diverged([*leaders, *replicas])]
        following = sum(is_pod_ready(pod) for pod in replicas if pod not in behind)
        yield f"{following} of {desired - 1} replicas"
    if pool := mapping(body, "spec", "proxy", "pgBouncer"):
        ready = number(body, "status", "proxy", "pgBouncer", "readyReplicas")
        yield f"{ready} of {number(pool, 'replicas', default=1)} pgBouncer"
    for repository in items(body, "status", "pgbackrest", "repos"):
        has_backup = repository.get("replicaCreateBackupComplete")
        backup = "has a backup" if has_backup else "has no backup yet"
        state = backup if repository.get("stanzaCreated") else "is being created"
        yield f"{text(repository, 'name')} {state}"


def _pods(body: Body, objects: Snapshot, *roles: str) -> list[Body]:
    """A cluster's pods with one of these roles."""
    cluster = {names.CLUSTER_LABEL: body["metadata"]["name"]}
    return [
        pod for role in roles for pod in objects.active_pods({**cluster, names.ROLE_LABEL: role})
    ]


def refused_changes(body: Body, objects: Snapshot) -> Iterator[str]:
    """What PGO cannot change, by its conditions and by the version of the data."""
    if (resizing := _resize_failure(body)) is not None:
        # The API server's message is in PGO's event.
        messages = [
            event.message
            for event in objects.events
            if event.reason == "PersistentVolumeError"
            and (event.about.kind, event.about.name) == (names.KIND, body["metadata"]["name"])
        ]
        message = (messages[-1] if messages else "") or resizing
        yield f"a volume cannot be resized: {' '.join(message.split())}"
    paused = find_condition(body, PROGRESSING)
    if paused is not None and paused.is_false:
        yield f"the operator changes nothing ({paused.reason}): {paused.message}"
    yield from _other_version(body, objects)
    if (missing := missing_image(body, objects)) is not None:
        yield f"the operator creates nothing ({images.EVENT}): {' '.join(missing.message.split())}"


def missing_image(body: Body, objects: Snapshot) -> Event | None:
    """PGO's event that an image is missing, if it has observed no later state; else None.

    It reconciles nothing then, so the observed generation stays that of the change before.
    """
    if is_observed(body):
        return None
    changed = changed_at(body)
    events = [
        event
        for event in objects.events
        if event.reason == images.EVENT
        and (event.about.kind, event.about.name) == (names.KIND, body["metadata"]["name"])
        and (event.last is None or event.last >= changed)
    ]
    return events[-1] if events else None


def _resize_failure(body: Body) -> str | None:
    """The message of a condition that reports a failed resize; None if none does."""
    resizing = find_condition(body, RESIZING)
    if resizing is not None and resizing.is_false:
        return resizing.message
    error = find_condition(body, RESIZE_ERROR)
    return error.message if error is not None and error.is_true else None


def _other_version(body: Body, objects: Snapshot) -> Iterator[str]:
    """Instances that run another major version than the resource asks for."""
    version = body["spec"].get("postgresVersion")
    if version is None or data_version.is_upgraded(body):
        return
    actual = data_version.data_versions(body["metadata"]["name"], objects.pods())
    if actual - {version}:
        others = " and ".join(map(str, sorted(actual - {version})))
        yield (
            f"its instances run PostgreSQL {others}, {version} is requested: only a PGUpgrade, or "
            "a dump and a restore, moves data to another major version"
        )


def pending_changes(body: Body, objects: Snapshot) -> Iterator[str]:
    """Instances that are not of the current version of their StatefulSets."""
    del objects
    instances = items(body, "status", "instances")
    count = sum(number(item, "replicas") for item in instances)
    updated = sum(number(item, "updatedReplicas") for item in instances)
    if updated < count:
        yield f"{updated} of {count} PostgreSQL instances are of the current version"
