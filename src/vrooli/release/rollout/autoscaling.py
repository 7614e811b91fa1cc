"""Whether an autoscaler is adding a node for an unschedulable pod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from vrooli.kube.events import Event
from vrooli.kube.snapshot import Snapshot

Body = Mapping[str, Any]

# The sources of such events: Cluster Autoscaler and Karpenter.
AUTOSCALERS = ("cluster-autoscaler", "karpenter")
# The reasons of events about a node that is being added for a pod.
ADDS_NODE = ("TriggeredScaleUp", "Nominated")
# The reasons of events about a pod for which no node will be added.
ADDS_NONE = ("NotTriggerScaleUp", "FailedScheduling")
# Both wait this long for a new node to register before it counts as failed.
NODE_LIMIT = timedelta(minutes=15)


def awaits_node(pod: Body, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the last event of an autoscaler about a pod is that a node is being added."""
    last = _last_event(pod, snapshot)
    return last is not None and last.reason in ADDS_NODE and now - _last_time(last) < NODE_LIMIT


def refusal(pod: Body, snapshot: Snapshot) -> str:
    """Why an autoscaler adds no node for a pod, in words; empty if it has not refused."""
    last = _last_event(pod, snapshot)
    if last is None or last.reason not in ADDS_NONE or not last.message:
        return ""
    return f"{last.source} adds no node: {' '.join(last.message.split())}"


def _last_event(pod: Body, snapshot: Snapshot) -> Event | None:
    """The last event of an autoscaler about a pod."""
    events = (event for event in snapshot.events if _is_about(event, pod))
    return max(events, key=_last_time, default=None)


def awaiting_node(pods: Iterable[Body], snapshot: Snapshot, now: datetime) -> list[str]:
    """The names of the unscheduled pods for which a node is being added."""
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
