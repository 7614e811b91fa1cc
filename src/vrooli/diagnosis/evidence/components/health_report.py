"""The dependencies that a service's health report shows as down, and their objects. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.kube import common_labels
from vrooli.kube.objects import Body, Ref, labels, ref_of, selects, text
from vrooli.operators.catalog import databases
from vrooli.operators.pgo import names as pgo_names
from vrooli.operators.redis import names as redis_names

DATABASES = databases()
# The kind of the database behind a part of a report. Queue and cron jobs are stored in Redis.
KINDS = {
    "database": pgo_names.KIND,
    "redis": redis_names.KIND,
    "queue": redis_names.KIND,
    "cron": redis_names.KIND,
}
_ROLES = (pgo_names.ROLE_LABEL, redis_names.ROLE_LABEL)


@dataclass(frozen=True)
class DownPart:
    """A dependency that a health report shows as down.

    Attributes:
        name: Its name in the report.
        error: The error in the report; may be empty.
        resource: Its object in the release; None if it has none.
    """

    name: str
    error: str
    resource: Ref | None

    def __str__(self) -> str:
        return f"{self.name} ({self.error})" if self.error else self.name


def down_parts(evidence: Evidence, pod: Ref) -> list[DownPart]:
    """The dependencies that the health report of a pod shows as down; empty without a report."""
    answer = health_answer.successful(evidence, pod)
    if answer is None:
        return []
    return [
        DownPart(name, text(part, "error"), _resource(evidence, name))
        for name, part in _parts(health_answer.report(answer))
    ]


def resources(parts: Sequence[DownPart]) -> list[Ref]:
    """The objects of dependencies, each once.

    Only the databases if there are any: the other services need them, and their state is stored in
    Redis.
    """
    refs = list(dict.fromkeys(part.resource for part in parts if part.resource is not None))
    return [ref for ref in refs if ref.kind in DATABASES] or refs


def pods(evidence: Evidence, resource: Ref) -> list[Body]:
    """The pods of a database, the one that accepts writes first, or of a workload.

    The pods of a database's Jobs, such as backups, are excluded.
    """
    if resource.kind not in DATABASES:
        return evidence.pods_of(resource)
    selector = {DATABASES[resource.kind].pod_label: resource.name}
    labelled = evidence.active_pods(selector, resource.namespace)
    return sorted((pod for pod in labelled if evidence.owner(pod).kind != "Job"), key=_is_secondary)


def _parts(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, part in report.items():
        if not isinstance(part, Mapping):
            continue
        if part.get("status") == "down":
            yield name, part
        else:
            yield from _parts(part)


def _resource(evidence: Evidence, name: str) -> Ref | None:
    """The object of a part of a report: a database, or the Deployment of a component."""
    if name in KINDS:
        return next(map(ref_of, evidence.all(KINDS[name])), None)
    own = {common_labels.INSTANCE: evidence.release, common_labels.COMPONENT: name}
    deployments = evidence.all("Deployment")
    return next((ref_of(body) for body in deployments if selects(own, labels(body))), None)


def _is_secondary(pod: Body) -> bool:
    return not any(text(labels(pod), label) in pgo_names.LEADER_ROLES for label in _ROLES)
