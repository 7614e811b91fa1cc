"""Pods that won't become ready by waiting: pure readings of what was seen, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Body = Mapping[str, Any]

# Kubernetes tries again after these, but with the same result. ErrImagePull isn't among them:
# ImagePullBackOff follows it at the second failure.
IMAGE_REASONS = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
# One crash may be a database that isn't there yet; the third isn't.
CRASHES = 3
# Claims are made, volumes bound and nodes come up within this, seconds, on a busy machine, too.
UNSCHEDULABLE_S = 60.0


@dataclass(frozen=True)
class Trouble:
    """Why a pod can't become ready.

    Attributes:
        pod: The pod's name.
        container: The container's, or empty when the pod as a whole is meant.
        reason: Kubernetes' word for it.
        message: What it says about it.
        crashed: Whether the container ran and ended, so that its log tells why.
    """

    pod: str
    container: str
    reason: str
    message: str
    crashed: bool = False

    def __str__(self) -> str:
        where = f"{self.pod}/{self.container}" if self.container else self.pod
        return f"{where}: {self.reason}" + (f" ({self.message})" if self.message else "")


def containers(pod: Body) -> list[Body]:
    """What a pod says of its containers, those that run before the others first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def troubles(pods: Iterable[Body], now: datetime) -> list[Trouble]:
    """Every trouble of the pods; those that a newer version replaces don't count."""
    return [trouble for pod in _current(pods) for trouble in _of_pod(pod, now)]


def _current(pods: Iterable[Body]) -> list[Body]:
    """The pods without those of a Deployment's older versions."""
    kept = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    newest: dict[str, Body] = {}
    for pod in sorted(kept, key=lambda pod: str(pod["metadata"].get("creationTimestamp", ""))):
        newest[_deployment(pod)] = pod
    return [pod for pod in kept if _version(pod) == _version(newest[_deployment(pod)])]


def _version(pod: Body) -> str:
    return str(pod["metadata"].get("labels", {}).get("pod-template-hash", ""))


def _deployment(pod: Body) -> str:
    """The pod's Deployment, or the pod itself when it has none."""
    owners = pod["metadata"].get("ownerReferences", [])
    version = _version(pod)
    if version and owners and owners[0]["kind"] == "ReplicaSet":
        return str(owners[0]["name"]).removesuffix(f"-{version}")
    return f"pod {pod['metadata']['name']}"


def _of_pod(pod: Body, now: datetime) -> Iterator[Trouble]:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for item in status.get("conditions", []):
        if item["type"] == "PodScheduled" and item.get("reason") == "Unschedulable":
            since = datetime.fromisoformat(item["lastTransitionTime"]).astimezone(UTC)
            if (now - since).total_seconds() >= UNSCHEDULABLE_S:
                yield Trouble(name, "", "Unschedulable", item.get("message", ""))
    for container in containers(pod):
        yield from _of_container(name, container)


def _of_container(pod: str, container: Body) -> Iterator[Trouble]:
    waiting = container.get("state", {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in IMAGE_REASONS:
        yield Trouble(pod, container["name"], reason, message)
    # While it waits for its next start, it has ended once more often than it was restarted.
    crashes = container.get("restartCount", 0) + 1
    if reason == "CrashLoopBackOff" and crashes >= CRASHES:
        ended = container.get("lastState", {}).get("terminated") or {}
        said = f"ended {crashes} times, last with status {ended.get('exitCode')}"
        yield Trouble(pod, container["name"], reason, said, crashed=True)
