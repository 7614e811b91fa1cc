"""Facts about workloads for the rules: current pods, age and status. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube.objects import (
    Body,
    Ref,
    condition,
    creation_time,
    dig,
    items,
    ref_of,
    text,
)
from vrooli.kube.status import ContainerStatus, pod_status, workload_status
from vrooli.kube.times import parse_time
from vrooli.release.rollout.log_cause import find_cause_line

# Pods and Deployments that are newer or made progress within this time are in progress, seconds.
MOVING_S = 60.0
# Lines of a log that a finding quotes.
QUOTED = 8


def age_s(evidence: Evidence, when: str | datetime | None) -> float | None:
    """The seconds since a time; None if it is not a time."""
    then = parse_time(when) if isinstance(when, str) else when
    return None if then is None else (evidence.now - then).total_seconds()


def is_older(evidence: Evidence, when: str | datetime | None, than_s: float) -> bool:
    """Whether a time is longer ago; a missing time counts as old."""
    age = age_s(evidence, when)
    return age is None or age >= than_s


def started_at(pod: Body) -> datetime | None:
    """When a pod was created or one of its containers was started, whichever is later."""
    starts = (item.last_started_at for item in pod_status(pod).containers)
    times = (parse_time(creation_time(pod)), *starts)
    return max((time for time in times if time is not None), default=None)


def states(evidence: Evidence) -> Iterator[tuple[Ref, Body, ContainerStatus]]:
    """Each container of the current pods: its workload, its pod, and its status."""
    for owner, pod in evidence.current:
        yield from ((owner, pod, item) for item in pod_status(pod).containers)


def is_moving(evidence: Evidence, workload: Ref) -> bool:
    """Whether a workload is in progress: recent progress of its Deployment, or new pods."""
    body = evidence.get(workload) or {}
    progress = condition(body, "Progressing")
    if progress.get("status") == "True" and not is_older(
        evidence, text(progress, "lastUpdateTime"), MOVING_S
    ):
        return True
    pods = evidence.pods_of(workload)
    if not pods:
        return bool(body) and not is_older(evidence, creation_time(body), MOVING_S)
    return any(not is_older(evidence, creation_time(pod), MOVING_S) for pod in pods)


def log_of(evidence: Evidence, pod: Body, container: str) -> tuple[str, ...]:
    """The last lines of the previous run, or of the current one."""
    ref = ref_of(pod)
    for previous in (True, False):
        lines = evidence.logs.get(LogSource(ref.namespace, ref.name, container, previous))
        if lines:
            last = [line for line in lines if line.strip()][-QUOTED:]
            return tuple(f"{ref.name}/{container}: {line}" for line in last)
    return ()


def explaining_line(log: Sequence[str]) -> str:
    """The line of ``log_of`` with the cause, without its source."""
    return find_cause_line([line.partition(": ")[2] for line in log])


def deployed_field(evidence: Evidence, ref: Ref, *path: str) -> Any:
    """The value at a path of an object in Helm's record; None if there is none."""
    for item in evidence.manifests:
        if (item.kind, item.name) == (ref.kind, ref.name) and not item.is_hook:
            return dig(item.body, *path)
    return None


def down(evidence: Evidence, workload: Ref) -> str:
    """Why a workload has no available pod; empty if it has one."""
    body = evidence.get(workload)
    if body is None:
        kinds = evidence.all("Deployment", workload.namespace)
        return f"{workload} does not exist" if evidence.is_readable("Deployment") and kinds else ""
    if dig(body, "spec", "replicas") == 0:
        return f"{workload} is scaled to 0 pods"
    status = workload_status(body)
    if workload.kind == "DaemonSet" and not status.desired:
        return "" if is_moving(evidence, workload) else f"no node accepts a pod of {workload}"
    if status.available or is_moving(evidence, workload):
        return ""
    waits = [
        f"{item.stop_reason} {item.stop_message}".strip()
        for pod in evidence.pods_of(workload)
        for item in pod_status(pod).containers
        if item.is_waiting or item.terminated is not None
    ]
    return f"no pod of {workload} is available" + (f" ({waits[0]})" if waits else "")


def last_events(evidence: Evidence, ref: Ref, *reasons: str, most: int = 3) -> tuple[str, ...]:
    """An object's last events, as lines of evidence."""
    return tuple(str(item) for item in evidence.events_of(ref, *reasons)[-most:])


def container(pod: Body, name: str) -> Body:
    """A container of a pod's spec, by name; empty if there is none."""
    specs: Sequence[Body] = [
        *items(pod, "spec", "initContainers"),
        *items(pod, "spec", "containers"),
    ]
    return next((item for item in specs if item.get("name") == name), {})
