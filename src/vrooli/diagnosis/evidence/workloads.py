"""What rules ask about workloads: their pods of today, their age, and the way back. No I/O here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.remedies import operators
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.objects import (
    Body,
    Ref,
    born,
    condition,
    dig,
    items,
    notes,
    ref_of,
    text,
)
from vrooli.kube.status import ContainerStatus, pod_status, workload_status
from vrooli.kube.times import parse_time
from vrooli.redaction import Redactor
from vrooli.release.rollout.log_cause import find_cause_line

# Pods and Deployments that are younger, or that moved on within this, are on their way, seconds.
MOVING_S = 60.0
REVISION = "deployment.kubernetes.io/revision"
# Lines of a log that a finding quotes.
QUOTED = 8
# Another version of the same workload, for the remedies.
REDEPLOY_HINT = "Correct it in the values and deploy again"


def age_s(evidence: Evidence, when: str | datetime | None) -> float | None:
    """How long ago that time was, seconds; None where it is none."""
    then = parse_time(when) if isinstance(when, str) else when
    return None if then is None else (evidence.now - then).total_seconds()


def is_older(evidence: Evidence, when: str | datetime | None, than_s: float) -> bool:
    """Whether a time is longer ago; what has no time is taken for old."""
    age = age_s(evidence, when)
    return age is None or age >= than_s


def states(evidence: Evidence) -> Iterator[tuple[Ref, Body, ContainerStatus]]:
    """Each container of the current pods: its workload, its pod, and its status."""
    for owner, pod in evidence.current:
        yield from ((owner, pod, item) for item in pod_status(pod).containers)


def is_moving(evidence: Evidence, workload: Ref) -> bool:
    """Whether a workload is on its way: its Deployment moved on lately, or its pods are young."""
    body = evidence.get(workload) or {}
    progress = condition(body, "Progressing")
    if progress.get("status") == "True" and not is_older(
        evidence, text(progress, "lastUpdateTime"), MOVING_S
    ):
        return True
    pods = evidence.pods_of(workload)
    if not pods:
        return bool(body) and not is_older(evidence, born(body), MOVING_S)
    return any(not is_older(evidence, born(pod), MOVING_S) for pod in pods)


def log_of(evidence: Evidence, pod: Body, container: str) -> tuple[str, ...]:
    """The last lines of the run that ended last, else of this one."""
    ref = ref_of(pod)
    for previous in (True, False):
        lines = evidence.logs.get(LogSource(ref.namespace, ref.name, container, previous))
        if lines:
            last = [line for line in lines if line.strip()][-QUOTED:]
            return tuple(f"{ref.name}/{container}: {line}" for line in last)
    return ()


def explaining_line(log: Sequence[str]) -> str:
    """Of the lines of ``log_of``, the one that says why, without whose it is."""
    return find_cause_line([line.partition(": ")[2] for line in log])


def rollback_command(evidence: Evidence, workload: Ref, default: str = "") -> str:
    """The command that brings a Deployment's former version back, if one worked; else another.

    There is no such way for what an operator makes: it puts its own version back.
    """
    keeper = operators.resource(evidence, workload)
    if keeper is not None:
        return default or f"kubectl describe {keeper.words}"
    if workload.kind == "Deployment":
        sets = _replica_sets(evidence, workload)
        older = sets[:-1]
        worked = [item for item in older if workload_status(item).ready] or older
        if worked:
            to = text(notes(worked[-1]), REVISION)
            return f"kubectl rollout undo {workload.words} --to-revision={to}"
    return default or f"kubectl describe {workload.words}"


def _replica_sets(evidence: Evidence, workload: Ref) -> list[Body]:
    """A Deployment's ReplicaSets, the newest last."""
    sets = [
        item
        for item in evidence.all("ReplicaSet", workload.namespace)
        if any(
            owner.get("kind") == workload.kind and owner.get("name") == workload.name
            for owner in items(item, "metadata", "ownerReferences")
        )
        and text(notes(item), REVISION).isdigit()
    ]
    return sorted(sets, key=lambda item: int(text(notes(item), REVISION)))


def deployed_field(evidence: Evidence, ref: Ref, *path: str) -> Any:
    """What Helm has noted at a path of an object of the release; None where nothing is."""
    for item in evidence.manifests:
        if (item.kind, item.name) == (ref.kind, ref.name) and not item.is_hook:
            return dig(item.body, *path)
    return None


def restore_field_command(evidence: Evidence, ref: Ref, *path: str) -> str:
    """The command that puts a field back to what the release has noted; empty where it is so."""
    live, desired = dig(evidence.get(ref), *path), deployed_field(evidence, ref, *path)
    if desired is None or desired == live:
        return ""
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        desired = {**dict.fromkeys(live), **desired}
    command = patch(ref, desired, *path)
    return command if _can_be_shown(command) else _as_deployed(evidence)


def _can_be_shown(command: str) -> bool:
    """Whether nothing of a command would be masked: half of it would do harm.

    Of a template of secrets, parts stand in what it makes, which is known and masked.
    """
    return "{{" not in command and Redactor().text(command) == command


def _as_deployed(evidence: Evidence) -> str:
    """The command that brings the release's newest revision back as it was deployed."""
    number = evidence.helm.number
    for environment in ENVIRONMENTS.values():
        if (environment.release, environment.namespace) == (evidence.release, evidence.namespace):
            return f"vrooli rollback {number} --environment {environment.name}"
    return f"helm rollback {evidence.release} {number} -n {evidence.namespace}"


def patch(ref: Ref, value: Any, *path: str) -> str:
    """The command that sets one field of an object."""
    for key in reversed(path):
        value = {key: value}
    return f"kubectl patch {ref.words} --type=merge -p {shlex.quote(json.dumps(value))}"


def down(evidence: Evidence, workload: Ref) -> str:
    """Why nothing of a workload of the cluster's own helpers runs, in words; empty if it does."""
    body = evidence.get(workload)
    if body is None:
        kinds = evidence.all("Deployment", workload.namespace)
        return f"{workload} doesn't exist" if evidence.is_readable("Deployment") and kinds else ""
    if dig(body, "spec", "replicas") == 0:
        return f"{workload} is scaled to 0 pods"
    status = workload_status(body)
    if workload.kind == "DaemonSet" and not status.desired:
        return "" if is_moving(evidence, workload) else f"no node takes a pod of {workload}"
    if status.available or is_moving(evidence, workload):
        return ""
    waits = [
        f"{item.stop_reason} {item.stop_message}".strip()
        for pod in evidence.pods_of(workload)
        for item in pod_status(pod).containers
        if item.is_waiting or item.terminated is not None
    ]
    return f"no pod of {workload} is available" + (f" ({waits[0]})" if waits else "")


def recover_command(evidence: Evidence, workload: Ref) -> str:
    """The command that brings such a Deployment up."""
    body = evidence.get(workload) or {}
    if dig(body, "spec", "replicas") == 0:
        return f"kubectl scale {workload.words} --replicas=1"
    return f"kubectl rollout restart {workload.words}" if body else ""


def last_events(evidence: Evidence, ref: Ref, *reasons: str, most: int = 3) -> tuple[str, ...]:
    """An object's last events, as lines of evidence."""
    return tuple(str(item) for item in evidence.events_of(ref, *reasons)[-most:])


def container(pod: Body, name: str) -> Body:
    """A container of a pod's spec, by name; empty where there is none."""
    specs: Sequence[Body] = [
        *items(pod, "spec", "initContainers"),
        *items(pod, "spec", "containers"),
    ]
    return next((item for item in specs if item.get("name") == name), {})
