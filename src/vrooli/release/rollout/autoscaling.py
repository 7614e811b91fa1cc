"""What a cluster's autoscaler says of a pod that no node takes: whether a node is on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from vrooli.kube.events import Event
from vrooli.kube.snapshot import Snapshot

Body = Mapping[str, Any]

# Who writes such events: the Kubernetes autoscaler, and Karpenter.
AUTOSCALERS = ("cluster-autoscaler", "karpenter")
# Their reasons for "a node for this pod is being made".
ADDS_NODE = ("TriggeredScaleUp", "Nominated")
# Their reasons for "none will be made".
ADDS_NONE = ("NotTriggerScaleUp", "FailedScheduling")
# Both give a new node this long to register before they call it failed.
NODE_LIMIT = timedelta(minutes=15)


def awaits_node(pod: Body, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the last word of an autoscaler on a pod is that a node is being made for it."""
    last = max(
        (event for event in snapshot.events if _is_about(event, pod)),
        key=_last_time,
        default=None,
    )
    return last is not None and last.reason in ADDS_NODE and now - _last_time(last) < NODE_LIMIT


def awaiting_node(pods: Iterable[Body], snapshot: Snapshot, now: datetime) -> list[str]:
    """The names of the pods without a node that one is being made for."""
    return sorted(
        str(pod["metadata"]["name"])
        for pod in pods
        if not pod.get("spec", {}).get("nodeName") and awaits_node(pod, snapshot, now)
    )


def _is_about(event: Event, pod: Body) -> bool:
    if event.source not in AUTOSCALERS or event.about.name != pod["metadata"]["name"]:
        return False
    return event.uid in {"", pod["metadata"].get("uid", "")}


def _last_time(event: Event) -> datetime:
    return event.last or datetime.min.replace(tzinfo=UTC)
