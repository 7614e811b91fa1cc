"""A small Deployment in addition to the release, for faults: the release itself is unchanged."""

from __future__ import annotations

import copy
from typing import Any

from support.cluster import workload
from vrooli.kube import Kube, Manifest

NAME = "injured"
LABELS = {"app": NAME}
READY_S, DELETED_S = 300.0, 180.0


def deployment(
    container: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    name: str = NAME,
    **more: Any,
) -> Manifest:
    """The Deployment, healthy unless a part of its container, its pods or itself is replaced."""
    pod = workload.pod(name)
    body = copy.deepcopy(pod["spec"])
    body["containers"][0] |= container or {}
    template = {"metadata": {"labels": {"app": name}}, "spec": {**body, **(spec or {})}}
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": template,
            **more,
        },
    }


async def put(kube: Kube, body: Manifest, namespace: str) -> None:
    """Make it, or give it just this spec, whatever others have written meanwhile."""
    name = body["metadata"]["name"]
    result = await kube.get("apps/v1", "Deployment", name, namespace)
    if result is None:
        await kube.create({**body, "metadata": {"name": name, "namespace": namespace}}, namespace)
    else:
        await kube.replace({**result, "spec": body["spec"]})


async def until_ready(kube: Kube, namespace: str, name: str = NAME) -> None:
    """Wait until all of it is of its current version, and ready."""

    def unready_reason(current: Manifest | None) -> str | None:
        state = (current or {}).get("status", {})
        expected = (current or {}).get("spec", {}).get("replicas", 1)
        observed = state.get("observedGeneration", 0) >= (current or {"metadata": {}})[
            "metadata"
        ].get("generation", 0)
        counts = [state.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
        return None if observed and counts == [expected] * 3 else f"{name} has {counts}"

    await kube.wait_for("apps/v1", "Deployment", name, namespace, unready_reason, READY_S)


async def gone(kube: Kube, namespace: str, name: str = NAME) -> None:
    """Delete it, and wait until its pods are gone."""
    await kube.delete("apps/v1", "Deployment", name, namespace)
    pods = await kube.list("v1", "Pod", namespace, f"app={name}")
    for pod in pods:
        place = ("v1", "Pod", pod["metadata"]["name"], namespace)
        await kube.wait_for(*place, lambda result: "it is there" if result else None, DELETED_S)
