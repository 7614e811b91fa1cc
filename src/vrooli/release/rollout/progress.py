"""The progress of each object of a release, one line each. No I/O here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vrooli.chart.manifest import HOOK, Manifest
from vrooli.events import ObjectState
from vrooli.grammar import counted
from vrooli.kube import objects
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import (
    ContainerStatus,
    Termination,
    claim_phase,
    is_pod_ready,
    job_status,
    parents_of,
    pod_status,
    workload_status,
)
from vrooli.kube.status.pods import CONFIG_ERROR, CRASH_LOOP
from vrooli.operators.catalog import databases, resources_by_kind
from vrooli.redaction import Redactor
from vrooli.release.rollout import autoscaling, context, readiness
from vrooli.release.rollout.context import RolloutContext

Body = Mapping[str, Any]

# Descriptions of the reasons of a waiting container.
WAITS = {
    "ContainerCreating": "is starting",
    "PodInitializing": "is being prepared",
    "ErrImagePull": "can't pull its image",
    "ImagePullBackOff": "can't pull its image",
    CONFIG_ERROR: "its configuration is incomplete",
}
# The maximum length of a reason in a line, characters; a report has the full text.
LONGEST = 160


@dataclass(frozen=True)
class ResourceProgress:
    """The progress of one object.

    Attributes:
        object: Its kind and name.
        state: How far it is.
        detail: What it has or lacks, its pods' reasons included.
    """

    object: str
    state: ObjectState
    detail: str


def lines(
    manifests: Iterable[Manifest],
    snapshot: Snapshot,
    failed: Collection[str] = (),
    redactor: Redactor | None = None,
    earlier_ends: Mapping[tuple[str, str], int] | None = None,
) -> list[ResourceProgress]:
    """The progress of each object with a readiness, and of each hook.

    Args:
        manifests: The release's objects, hooks included.
        snapshot: The namespace's objects.
        failed: Pods that can't become ready.
        redactor: Knows what is secret; without one only what looks like a secret is masked.
        earlier_ends: As a rollout's context has them; they are not reported.
    """
    objects, redactor = list(manifests), redactor or Redactor()
    rollout = RolloutContext(snapshot=snapshot, earlier_ends=earlier_ends or {})
    hooks = context.hooks(objects)
    others = [item for item in objects if item.kind in readiness.RULES and not item.is_hook]
    return [
        *(_of_hook(hook, rollout, failed, redactor) for hook in hooks),
        *(_of_object(item, rollout, failed, redactor) for item in others),
    ]


def _of_object(
    manifest: Manifest, rollout: RolloutContext, failed: Collection[str], redactor: Redactor
) -> ResourceProgress:
    snapshot = rollout.snapshot
    reason, body = (
        readiness.unready_reason(manifest, snapshot),
        snapshot.find(manifest.kind, manifest.name),
    )
    facts = FACTS[manifest.kind](body, snapshot) if body is not None else ""
    if reason is None:
        return ResourceProgress(manifest.key, ObjectState.READY, facts)
    pods = [pod for pod in _pods_of(manifest, snapshot) if not is_pod_ready(pod)]
    reasons = [text for pod in pods if (text := of_pod(pod, rollout, redactor))]
    names = {pod["metadata"]["name"] for pod in pods}
    state = ObjectState.FAILED if names & set(failed) else ObjectState.WAITING
    rest = "" if manifest.kind in OWN_WORDS else facts
    return ResourceProgress(
        manifest.key, state, "; ".join(filter(None, (redactor.text(reason), *reasons, rest)))
    )


# Kinds whose reason already contains their facts.
OWN_WORDS = ("Deployment", "StatefulSet", "VaultStaticSecret", "PersistentVolumeClaim")


def _of_hook(
    hook: Manifest, rollout: RolloutContext, failed: Collection[str], redactor: Redactor
) -> ResourceProgress:
    snapshot = rollout.snapshot
    when, body = hook.annotations[HOOK], snapshot.find(hook.kind, hook.name)
    pods = [pod for pod in snapshot.pods() if context.hook_of(pod) == hook.key]
    if body is None:
        return ResourceProgress(hook.key, ObjectState.WAITING, f"{when} hook: not there")
    if _has_succeeded(body):
        return ResourceProgress(hook.key, ObjectState.READY, f"{when} hook: done")
    names = {pod["metadata"]["name"] for pod in pods}
    state = ObjectState.FAILED if names & set(failed) or _has_failed(body) else ObjectState.WAITING
    reasons = "; ".join(text for pod in pods if (text := of_pod(pod, rollout, redactor)))
    return ResourceProgress(hook.key, state, f"{when} hook: {reasons or 'runs'}")


def _has_succeeded(body: Body) -> bool:
    return pod_status(body).phase == "Succeeded" or job_status(body).is_complete


def _has_failed(body: Body) -> bool:
    return pod_status(body).phase == "Failed" or job_status(body).failure is not None


def of_pod(pod: Body, rollout: RolloutContext, redactor: Redactor) -> str:
    """Why a pod is not ready; empty if it is."""
    status = pod_status(pod)
    name = status.name
    if status.scheduling is not None and status.is_unscheduled:
        is_coming = autoscaling.awaits_node(pod, rollout.snapshot, datetime.now(UTC))
        node = "a node that the autoscaler adds" if is_coming else "a node"
        return _shorten(redactor.text(f"{name} waits for {node}: {status.scheduling.message}"))
    details = [
        text
        for item in status.containers
        if (text := _of_container(item, rollout.earlier(pod, item)))
    ]
    if not details and status.phase == "Running" and not status.is_ready:
        details = [f"runs, isn't ready yet{_probe(name, rollout.snapshot)}"]
    return _shorten(redactor.text(f"{name} {', '.join(_merged(details))}")) if details else ""


def _merged(details: Iterable[str]) -> list[str]:
    """Each text once, with the number of containers that it is about."""
    return [
        text if count == 1 else f"{text} ({counted(count, 'container')})"
        for text, count in Counter(details).items()
    ]


def _of_container(container: ContainerStatus, earlier: int) -> str:
    restarts = container.restarts - earlier
    ended = container.last_terminated or Termination()
    reason, message = container.waiting_reason, container.waiting_message
    if reason == CRASH_LOOP:
        return f"ended {times(restarts + 1)}, last with status {ended.exit_code}"
    if container.is_waiting:
        return ": ".join(filter(None, (WAITS.get(reason, reason), message)))
    if container.exit_code:
        return f"ended with status {container.exit_code}"
    if restarts and not container.is_ready:
        return f"runs again after {restarts} ends, last with status {ended.exit_code}"
    return ""


def times(count: int) -> str:
    """A number of times as text."""
    return "once" if count == 1 else f"{count} times"


def _probe(pod: str, snapshot: Snapshot) -> str:
    """The last message of its probe, from the namespace's events."""
    messages = [
        item for item in snapshot.events if item.reason == "Unhealthy" and item.about.name == pod
    ]
    return f": {messages[-1].message}" if messages else ""


def _pods_of(manifest: Manifest, snapshot: Snapshot) -> list[Body]:
    """The pods of an object; for a Deployment only those of its current version."""
    if (resource := databases().get(manifest.kind)) is not None:
        return snapshot.pods({resource.pod_label: manifest.name})
    if manifest.kind == "StatefulSet":
        return [pod for pod in snapshot.pods() if _owner(pod) == manifest.name]
    if manifest.kind != "Deployment":
        return []
    pods = [pod for pod in snapshot.pods() if context.deployment_of(pod) == manifest.name]
    return RolloutContext(snapshot=snapshot).current(pods)


def _owner(pod: Body) -> str:
    owners = objects.owners(pod)
    return str(owners[0]["name"]) if owners else ""


def _shorten(text: str) -> str:
    """A redacted text in one short line. Redact first: a truncated secret is not recognized."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _replicas(body: Body, snapshot: Snapshot) -> str:
    status = workload_status(body)
    return f"{status.ready} of {status.desired} pods are ready"


def _claim(body: Body, snapshot: Snapshot) -> str:
    return claim_phase(body)


def _ingress(body: Body, snapshot: Snapshot) -> str:
    """Its hosts, and its address if the controller writes one."""
    hosts = [rule.get("host") or "any host" for rule in body["spec"].get("rules", [])]
    points = body.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    rollout = ", ".join(point.get("ip") or point.get("hostname", "") for point in points)
    return ", ".join(dict.fromkeys(hosts)) + (f" at {rollout}" if rollout else "")


def _http_route(body: Body, snapshot: Snapshot) -> str:
    """Its hosts, and its Gateways."""
    hosts = ", ".join(objects.texts(body, "spec", "hostnames")) or "any host"
    return f"{hosts} at {', '.join(map(str, parents_of(body)))}"


FACTS: Mapping[str, Callable[[Body, Snapshot], str]] = {
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "PersistentVolumeClaim": _claim,
    "Ingress": _ingress,
    "HTTPRoute": _http_route,
    **{kind: resource.summary for kind, resource in resources_by_kind().items()},
}
