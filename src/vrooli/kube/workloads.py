"""Waiting for one Deployment or StatefulSet, and saying why its pods aren't ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.client import Kube
from vrooli.kube.reads import Manifest


async def wait_ready(
    kube: Kube, kind: str, name: str, namespace: str, timeout_s: float, progress: Progress
) -> None:
    """Wait until a Deployment or StatefulSet is ready.

    Raises:
        WaitTimeoutError: It isn't, with what is wrong with the pods of its namespace.
    """
    lack = deployment_lack if kind == "Deployment" else stateful_set_lack
    try:
        await kube.wait_for("apps/v1", kind, name, namespace, lack, timeout_s, progress)
    except WaitTimeoutError as error:
        troubles = pod_troubles(await kube.list("v1", "Pod", namespace))
        raise WaitTimeoutError("\n".join([error.message, *troubles]), error.advice) from error


def is_observed(body: Mapping[str, Any]) -> bool:
    """Whether an object's controller has seen its last change."""
    observed = int(body.get("status", {}).get("observedGeneration", 0))
    return observed >= int(body["metadata"].get("generation", 0))


def deployment_lack(deployment: Manifest | None) -> str | None:
    """What a Deployment lacks to be ready, in words; None when it lacks nothing."""
    if deployment is None:
        return "its Deployment doesn't exist"
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    if not is_observed(deployment):
        return "its last change isn't observed yet"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or status.get("replicas", 0) > updated:
        refusal = refused_pods(deployment)
        said = f": {refusal}" if refusal else ""
        return f"{updated} of {wanted} pods are of the current version{said}"
    if available < wanted:
        return f"{available} of {wanted} pods are available"
    return None


def refused_pods(deployment: Mapping[str, Any]) -> str:
    """Why the API server refuses a Deployment's pods; empty when it doesn't."""
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return " ".join(str(condition.get("message") or condition.get("reason")).split())
    return ""


def stateful_set_lack(found: Manifest | None) -> str | None:
    """What a StatefulSet lacks to be ready, in words; None when it lacks nothing."""
    if found is None:
        return "its StatefulSet doesn't exist"
    state = found.get("status", {})
    if not is_observed(found):
        return "its last change isn't observed yet"
    if state.get("currentRevision") != state.get("updateRevision"):
        return "pods are being replaced"
    wanted, ready = found["spec"].get("replicas", 1), state.get("readyReplicas", 0)
    if ready < wanted:
        return f"{ready} of {wanted} pods are ready"
    return None


def pod_troubles(pods: Iterable[Manifest]) -> list[str]:
    """Why pods don't run: one line for each container that waits or ended badly."""
    troubles = []
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        for condition in status.get("conditions", []):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                troubles.append(f"{name}: {condition.get('message', 'not scheduled')}")
        for container in status.get("containerStatuses", []):
            state = container.get("state", {})
            waits = state.get("waiting") or state.get("terminated")
            if waits and waits.get("reason") != "Completed":
                said = f": {waits['message']}" if waits.get("message") else ""
                troubles.append(f"{name}/{container['name']}: {waits.get('reason', '')}{said}")
    return troubles
