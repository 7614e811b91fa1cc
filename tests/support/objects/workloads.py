"""Objects and events of workloads that fail."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import NOW, diagnosed, evidence, pod, pod_of
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref

SERVER = "vrooli-dev-server"


OWNER = f"Deployment/{SERVER}"


POD = Ref("Pod", f"{SERVER}-5d9c7b-abcde", "dev")


NOW_TEXT = NOW.isoformat()


BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}


def waiting(reason: str, message: str = "", **settings: Any) -> dict[str, Any]:
    """The server's pod, whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    return pod_of(SERVER, ready=False, state=state, phase="Pending", **settings)


def ended(code: int, reason: str = "Error", **settings: Any) -> dict[str, Any]:
    """The server's pod, whose container ended and waits for its next start."""
    last = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": NOW_TEXT}}
    return pod_of(SERVER, ready=False, state=BACK_OFF, last=last, restarts=2, **settings)


def versions(*readies: int) -> list[dict[str, Any]]:
    """The ReplicaSets of the server, the oldest first, with how many pods of each are ready."""
    return [
        {
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{SERVER}-{number}",
                "namespace": "dev",
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [{"kind": "Deployment", "name": SERVER}],
            },
            "spec": {"replicas": 1},
            "status": {"readyReplicas": ready},
        }
        for number, ready in enumerate(readies, 1)
    ]


def the_one(base: Evidence) -> Any:
    """The only cause that all rules together name."""
    (cause,) = diagnosed(base).causes
    return cause.finding


ARM = {
    "kind": "Node",
    "metadata": {"name": "one", "labels": {"kubernetes.io/arch": "arm64"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


def unscheduled(text: str) -> dict[str, Any]:
    """The server's pod, which waits for a node."""
    waits = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": text,
        "lastTransitionTime": "2026-06-01T11:59:00+00:00",
    }
    observed = pod_of(SERVER, ready=False, phase="Pending", conditions=[waits])
    observed["status"]["containerStatuses"] = []
    return observed


def refused(text: str, *before: int, beside: tuple[dict[str, Any], ...] = ()) -> Evidence:
    """A new version of the server whose pods are refused, after others with so many ready."""
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": text,
    }
    *older, body = versions(*before, 0)
    return evidence(*beside, *older, {**body, "status": {"replicas": 0, "conditions": [failure]}})


OF_REDIS = ("StatefulSet", "rfr-vrooli-rf")


NO_ROOM = (
    "create Pod rfr-vrooli-rf-1 failed: exceeded quota: small, requested: pods=1, used: pods=9, "
    "limited: pods=9"
)


def one_of(pods: int, *events: Event) -> Evidence:
    """A StatefulSet that wants three pods, and has so many."""
    body = {
        "kind": "StatefulSet",
        "metadata": {"name": OF_REDIS[1], "namespace": "dev"},
        "spec": {"replicas": 3},
        "status": {"replicas": pods},
    }
    created = (pod(f"rfr-vrooli-rf-{number}", owner=OF_REDIS) for number in range(pods))
    return evidence(body, *created, events=events)


def deployment(*conditions: dict[str, str], **spec: Any) -> dict[str, Any]:
    """The server's Deployment."""
    status = {"conditions": list(conditions), "updatedReplicas": 0}
    metadata = {"name": SERVER, "namespace": "dev"}
    body = {"replicas": 1, **spec}
    return {"kind": "Deployment", "metadata": metadata, "spec": body, "status": status}
