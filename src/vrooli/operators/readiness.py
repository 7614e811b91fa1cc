"""When an operator is ready: a pure reading of its Deployment, and of why its pods aren't."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.kube import Manifest


def deployment_lack(deployment: Manifest | None) -> str | None:
    """What a Deployment lacks to be ready, in words; None when it lacks nothing."""
    if deployment is None:
        return "its Deployment doesn't exist"
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return "its last change isn't observed yet"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or status.get("replicas", 0) > updated:
        return f"{updated} of {wanted} pods are of the current version"
    if available < wanted:
        return f"{available} of {wanted} pods are available"
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
