"""A database is starting or has just started, and services report it as down meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vrooli.diagnosis.evidence.components import health_report
from vrooli.diagnosis.evidence.components.health_report import DATABASES
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s, started_at
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import inspect_command
from vrooli.kube.objects import Body, Ref, ref_of
from vrooli.kube.status import pod_status

# A database starts, elects its primary and accepts its clients again within this time, seconds.
# The rules of the databases report it as a problem afterwards.
LIMIT_S = 120.0
# The reasons of a container that waits for its first start and not after a failure.
STARTING = ("ContainerCreating", "PodInitializing")
# What the services report while their database is down. Anything else has a cause of its own.
CONSEQUENCES = ("probe-failing", "not-ready")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each database that services report as down shortly after its pods have changed."""
    for database, errors in _reported(evidence).items():
        pods = health_report.pods(evidence, database)
        age = age_s(evidence, _last_change(pods))
        if age is None or age >= LIMIT_S or any(map(_is_failing, pods)):
            continue
        yield Symptom(
            resource=database,
            message=f"it is returning: {_state(evidence, database)}. The last change of its pods "
            f"was {max(age, 0.0):.0f} s ago.",
            remediation=f"Wait until it is {LIMIT_S:.0f} s ago: the database becomes ready and the "
            "services connect to it by themselves. If they do not, run `vrooli diagnose` again.",
            command=inspect_command(evidence, database),
            evidence=tuple(f"{owner}: {error}" for owner, error in errors.items()),
            affects=tuple(errors),
            can_explain=CONSEQUENCES,
        )


def _reported(evidence: Evidence) -> dict[Ref, dict[Ref, str]]:
    """The databases in the release that workloads report as down, each with their errors."""
    reported: dict[Ref, dict[Ref, str]] = {}
    for owner, pod in evidence.current:
        for part in health_report.down_parts(evidence, ref_of(pod)):
            if part.resource is not None and part.resource.kind in DATABASES:
                reported.setdefault(part.resource, {}).setdefault(owner, str(part))
    return reported


def _last_change(pods: list[Body]) -> datetime | None:
    """When a pod was created, a container was started, or a pod became ready or unready, last."""
    times = (time for pod in pods for time in _changes(pod))
    return max((time for time in times if time is not None), default=None)


def _changes(pod: Body) -> Iterator[datetime | None]:
    readiness = pod_status(pod).readiness
    yield readiness.changed_at if readiness is not None else None
    yield started_at(pod)


def _is_failing(pod: Body) -> bool:
    """Whether a container of a pod waits after a failure, such as in a crash loop."""
    return any(
        item.is_waiting and item.waiting_reason not in STARTING
        for item in pod_status(pod).containers
    )


def _state(evidence: Evidence, database: Ref) -> str:
    readiness, body = DATABASES[database.kind].readiness, evidence.get(database)
    reason = readiness(body, evidence) if readiness is not None and body is not None else None
    return reason or "its pods are ready, and the services are not connected to it yet"


RULE = Rule(
    rule_id="database-returning",
    title="a database is starting or has just started, and services report it as down",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts",
)
