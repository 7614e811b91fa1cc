"""The status of an object in a few words, for the report. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.kube.objects import Body, items, mapping, text
from vrooli.kube.status import pod_status, workload_status

# Conditions that are a problem when they are true.
_BAD_WHEN_TRUE = ("Failed", "Degraded", "Stalled", "ReplicaFailure")
_PRESSURE = "Pressure"
_FINE = ("Running", "Succeeded", "Bound", "Active", "Available", "Complete")


@dataclass(frozen=True)
class State:
    """The status of an object.

    Attributes:
        words: In words; empty for kinds without a status, such as a ConfigMap.
        is_healthy: Whether the object is healthy; None if nothing shows it.
    """

    words: str
    is_healthy: bool | None = None


def of(body: Body) -> State:
    """The status of any object."""
    kind = text(body, "kind")
    if kind == "Pod":
        return _of_pod(body)
    if kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        return _of_replicas(body)
    problems = list(_problems(body))
    if problems:
        return State("; ".join(problems), is_healthy=False)
    phase = text(body, "status", "phase")
    if phase:
        return State(phase, phase in _FINE)
    conditions = items(body, "status", "conditions")
    words = ", ".join(text(item, "type") for item in conditions if item.get("status") == "True")
    return State(words, True if words else None)


def _of_pod(pod: Body) -> State:
    status = pod_status(pod)
    containers, phase = status.containers, status.phase
    if phase == "Succeeded":
        return State("Succeeded", is_healthy=True)
    ready = sum(item.is_ready for item in containers)
    waits = [f"{item.name}: {item.waiting_reason}" for item in containers if item.waiting_reason]
    restarts = sum(item.restarts for item in containers)
    words = [phase, f"{ready}/{len(containers)} ready", *waits]
    words += [f"{restarts} restarts"] if restarts else []
    words += list(_problems(pod)) if not containers else []
    return State(", ".join(filter(None, words)), phase == "Running" and ready == len(containers))


def _of_replicas(body: Body) -> State:
    status = workload_status(body)
    words = f"{status.ready}/{status.desired} ready"
    return State(f"{words}, rolling out" if status.is_rolling else words, status.is_ready)


def _problems(body: Body) -> Iterator[str]:
    for item in items(body, "status", "conditions"):
        kind, status = text(item, "type"), text(item, "status")
        bad = "True" if kind in _BAD_WHEN_TRUE or kind.endswith(_PRESSURE) else "False"
        if status == bad and not _is_harmless(kind):
            detail = ": ".join(filter(None, (text(item, "reason"), text(item, "message"))))
            yield f"{kind} {status}" + (f" ({detail})" if detail else "")
    if mapping(body, "metadata").get("deletionTimestamp"):
        yield "is being deleted"


def _is_harmless(kind: str) -> bool:
    """Whether a condition may be false in a healthy object."""
    return kind in ("ScalingLimited", "NetworkUnavailable", "Progressing", "DisruptionAllowed") or (
        kind.startswith(("Persistent", "Suspended", "FailureTarget", "SuccessCriteria"))
    )
