"""A container's probe fails: the container is not ready, or it is restarted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vrooli import shell
from vrooli.diagnosis.evidence.components import health_report
from vrooli.diagnosis.evidence.components.health_report import DownPart
from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.evidence.workloads import container, is_older, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, inspect_command, rollback_command
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, ref_of
from vrooli.kube.status import ContainerStatus, is_pod_ready

# Grace periods of a container before and after its startup probe has succeeded, seconds.
STARTING_S, UP_S = 30.0, 12.0
# A probe that failed longer ago has succeeded since, seconds: probes run every few seconds.
RECENT_S = 90.0
PROBE = re.compile(r"(Readiness|Liveness|Startup) probe (?:failed|errored)", re.IGNORECASE)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container whose probe is failing."""
    for owner, pod, item in states(evidence):
        event = _failing(evidence, pod, item)
        if event is None:
            continue
        pod_ref = ref_of(pod)
        parts = health_report.down_parts(evidence, pod_ref)
        details = f" Its health report shows what is down: {_joined(parts)}." if parts else ""
        remediation, command = _remedy(evidence, owner, item.name, parts)
        answer = health_answer.successful(evidence, pod_ref)
        yield Symptom(
            resource=owner,
            message=f"container {item.name}: {event.message.strip()}.{details}",
            remediation=remediation,
            command=command,
            evidence=(str(event), *((f"health report: {answer.text}",) if answer else ())),
        )


def _joined(parts: Sequence[DownPart]) -> str:
    return "; ".join(map(str, parts))


def _remedy(
    evidence: Evidence, owner: Ref, name: str, parts: Sequence[DownPart]
) -> tuple[str, str]:
    """Remediation and command: a rollback only if no dependency is reported as down."""
    logs = f"kubectl logs {owner.words} -c {shell.label(name)} --tail=50"
    if not parts:
        return (
            f"Check why its response fails the probe. {REDEPLOY_HINT}, or roll back.",
            rollback_command(evidence, owner, logs),
        )
    resources = health_report.resources(parts)
    if not resources:
        return (
            "Repair what its health report shows as down, or correct its address: it is not an "
            "object of this release.",
            logs,
        )
    return (
        f"Repair {' and '.join(map(str, resources))}. The pods of {owner} become ready by "
        "themselves afterwards. A rollback does not help.",
        inspect_command(evidence, resources[0]),
    )


def _failing(evidence: Evidence, pod: Body, item: ContainerStatus) -> Event | None:
    """The event of the failing probe; None while the container is starting."""
    name = item.name
    events = [
        event
        for event in evidence.events_of(ref_of(pod), "Unhealthy")
        if PROBE.search(event.message) and is_recent(event, evidence.now, RECENT_S)
    ]
    if not events or not _is_of(pod, name):
        return None
    killed = [
        event
        for event in evidence.events_of(ref_of(pod), "Killing")
        if f"ontainer {name} failed" in event.message and is_recent(event, evidence.now, RECENT_S)
    ]
    if killed and not (item.is_ready and _is_calm(evidence, item)):
        kind = "startup" if "startup" in killed[-1].message else "liveness"
        return next((event for event in reversed(events) if _kind(event) == kind), events[-1])
    if item.is_ready or is_pod_ready(pod) or not item.is_running:
        return None
    grace = UP_S if item.has_started else STARTING_S
    return events[-1] if is_older(evidence, item.started_at, grace) else None


def _is_of(pod: Body, name: str) -> bool:
    spec = container(pod, name)
    return any(spec.get(probe) for probe in health_answer.PROBES)


def _is_calm(evidence: Evidence, item: ContainerStatus) -> bool:
    return item.is_running and is_older(evidence, item.started_at, RECENT_S)


def _kind(event: Event) -> str:
    match = PROBE.search(event.message)
    return match[1].lower() if match else ""


RULE = Rule(
    rule_id="probe-failing",
    title="Unhealthy: a readiness, liveness or startup probe fails",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
)
