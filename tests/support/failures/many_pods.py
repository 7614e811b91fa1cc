"""Thousands of pods of a release, some in trouble, as objects that no node runs."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from support.cluster.kubelet import NODE
from support.diagnosis.evidence import COMPONENTS, DEV, rendered
from support.release import helm_secrets
from vrooli.kube import Kube
from vrooli.release.records import storage

AT_ONCE = 40
# The groups that every API server has; operators bring the others.
BUILT_IN = ("v1", "apps", "networking.k8s.io", "policy")
# Of ten pods three are in trouble, each in a way of its own.
FAILURES = {1: "crash", 4: "unscheduled", 7: "image"}
EVENTS = {
    "crash": ("BackOff", "Back-off restarting failed container main in pod"),
    "unscheduled": ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
    "image": ("Failed", 'Failed to pull image "{image}": not found: manifest unknown'),
}
_BORN = datetime.now(UTC) - timedelta(hours=1)


async def fill(kube: Kube, pods: int, events: int) -> None:
    """Have the development release in its namespace, with so many pods and events."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEV.namespace}}
    await kube.apply(namespace)
    await kube.create(release_record("deployed"), DEV.namespace)
    release = rendered()
    own = [body for result in release.objects.values() for body in result]
    served = [body for body in own if body.get("apiVersion", "").partition("/")[0] in BUILT_IN]
    await _all(kube.create(body, DEV.namespace) for body in served)
    deployments = release.all("Deployment")
    await _all(_set_ready(kube, body) for body in deployments)
    # `_way` counts on five.
    names = {f"{DEV.release}-{name}" for name in COMPONENTS}
    deployments = [body for body in deployments if body["metadata"]["name"] in names]
    created = [_pod(deployments[number % len(deployments)], number) for number in range(pods)]
    await _all(_create_pod(kube, body) for body in created)
    ailing = [body for number, body in enumerate(created) if _failure(number)]
    message = (_event(ailing[number % len(ailing)], number) for number in range(events))
    await _all(kube.create(event, DEV.namespace) for event in message)


def release_record(status: str, revision: int = 1) -> dict[str, Any]:
    """Helm's note of the release, as Helm writes it."""
    objects = [item.body for item in rendered().manifests]
    saved = {
        "name": DEV.release,
        "version": revision,
        "info": {"status": status, "last_deployed": _BORN.isoformat()},
        "chart": {"metadata": {"name": "vrooli", "version": "0.1.0"}},
        "manifest": yaml.safe_dump_all(objects),
        "hooks": [],
    }
    return record_secret(gzip.compress(json.dumps(saved).encode()), revision)


def record_secret(packed: bytes, revision: int = 1) -> dict[str, Any]:
    """A Secret of Helm's that holds these bytes."""
    name = f"sh.helm.release.v1.{DEV.release}.v{revision}"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"name": DEV.release, "owner": "helm"}},
        "type": storage.TYPE,
        "data": {"release": helm_secrets.twice(packed)},
    }


async def _all(doing: Iterable[Awaitable[Any]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(what: Awaitable[Any]) -> None:
        async with gate:
            await what

    async with asyncio.TaskGroup() as group:
        for what in doing:
            group.create_task(one(what))


def _failure(number: int) -> str | None:
    """Which trouble a pod is in: each workload has pods in every one."""
    return FAILURES.get(number // 5 % 10)


async def _set_ready(kube: Kube, body: Mapping[str, Any]) -> None:
    status = {"replicas": 1000, "readyReplicas": 700, "availableReplicas": 700}
    name = f"{body['metadata']['name']}/status"
    await kube.patch("apps/v1", "Deployment", name, DEV.namespace, {"status": status})


async def _create_pod(kube: Kube, body: Mapping[str, Any]) -> None:
    """Make it, and set what a node would say of it."""
    await kube.create({key: body[key] for key in body if key != "status"}, DEV.namespace)
    name = f"{body['metadata']['name']}/status"
    await kube.patch("v1", "Pod", name, DEV.namespace, {"status": body["status"]})


def _pod(deployment: Mapping[str, Any], number: int) -> dict[str, Any]:
    template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
    failure = _failure(number)
    version = "5d9c7b"
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{name}-{version}",
        "uid": "00000000-0000-0000-0000-000000000000",
        "controller": True,
    }
    spec = {key: value for key, value in template["spec"].items() if key != "priorityClassName"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{version}-{number:05d}",
            "labels": {**template["metadata"]["labels"], "pod-template-hash": version},
            "ownerReferences": [owner],
        },
        "spec": spec if failure == "unscheduled" else {**spec, "nodeName": NODE},
        "status": _status(spec["containers"], failure),
    }


def _status(containers: Iterable[Mapping[str, Any]], failure: str | None) -> dict[str, Any]:
    since = _BORN.strftime("%Y-%m-%dT%H:%M:%SZ")
    healthy = str(failure is None)
    conditions: list[dict[str, Any]] = [
        {"type": kind, "status": healthy, "lastTransitionTime": since}
        for kind in ("Initialized", "Ready", "ContainersReady")
    ]
    if failure == "unscheduled":
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        output = {"message": EVENTS[failure][1], "lastTransitionTime": since}
        return {"phase": "Pending", "conditions": [*conditions, {**waits, **output}]}
    return {
        "phase": "Pending" if failure == "image" else "Running",
        "hostIP": "10.0.0.1",
        "podIP": "10.0.1.1",
        "startTime": since,
        "conditions": [*conditions, {"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [_state(item, failure, since) for item in containers],
    }


def _state(container: Mapping[str, Any], failure: str | None, since: str) -> dict[str, Any]:
    ended = {"exitCode": 1, "reason": "Error", "startedAt": since, "finishedAt": since}
    waits = {"crash": "CrashLoopBackOff", "image": "ImagePullBackOff"}
    state = (
        {"waiting": {"reason": waits[failure]}} if failure else {"running": {"startedAt": since}}
    )
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": failure is None,
        "started": failure is None,
        "restartCount": 12 if failure == "crash" else 0,
        "state": state,
        "lastState": {"terminated": ended} if failure == "crash" else {},
    }


def _event(pod: Mapping[str, Any], number: int) -> dict[str, Any]:
    failure = _failure(int(pod["metadata"]["name"].rpartition("-")[2])) or ""
    reason, message = EVENTS[failure]
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod['metadata']['name']}.{number:x}"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": pod["metadata"]["name"],
            "namespace": DEV.namespace,
        },
        "type": "Warning",
        "reason": reason,
        "message": message.format(image=pod["spec"]["containers"][0]["image"]),
        "count": 7,
        "firstTimestamp": since,
        "lastTimestamp": since,
        "source": {"component": "kubelet"},
    }
