"""A restore of PostgreSQL fails: the database stays stopped, and no later restore starts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, condition, labels, number, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL, RESTORE_ANNOTATION
from vrooli.operators.pgo.restore import SETTINGS, is_restoring

ERROR = r"ERROR|FATAL|\[\d{3}\]"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster with a requested restore whose Job has failed attempts only."""
    for cluster, body in postgres.clusters(evidence):
        job = _job(evidence, cluster)
        if job is None or not is_restoring(body) or not _fails(job):
            continue
        ref = ref_of(job)
        pods = [ref_of(pod).name for pod in evidence.pods_of(ref)]
        log = [line for name in pods for line in evidence.lines(ERROR, pods=name)]
        reason = log[-1][1].strip() if log else text(condition(job, "Failed"), "message")
        yield Symptom(
            resource=cluster,
            message=f"the restore fails ({ref}): {reason or 'its pods fail'}. PGO has stopped the "
            "database for the restore, and waits for its end.",
            remediation=f"Cancel the restore: the command sets {'.'.join(SETTINGS)}.enabled to "
            "false and deletes the Job, and PGO starts the database with its present data. To "
            "restore, set correct options (`pgbackrest info` in the repository host lists the "
            f"backups) and a new value of the annotation {RESTORE_ANNOTATION}.",
            command=_cancel(cluster, ref),
            evidence=(*last_events(evidence, ref), *quoted(log)),
            affects=(ref, *map(ref_of, postgres.instances(evidence, cluster))),
        )


def _job(evidence: Evidence, cluster: Ref) -> Body | None:
    """The Job of the restore; PGO labels it with the cluster and the restore."""
    return next(
        (
            job
            for job in evidence.all("Job")
            if text(labels(job), CLUSTER_LABEL) == cluster.name
            and RESTORE_ANNOTATION in labels(job)
        ),
        None,
    )


def _fails(job: Body) -> bool:
    has_failed = condition(job, "Failed").get("status") == "True"
    return has_failed or (
        number(job, "status", "failed") > 0 and not number(job, "status", "succeeded")
    )


def _cancel(cluster: Ref, job: Ref) -> str:
    value: object = {"enabled": False}
    for key in reversed(SETTINGS):
        value = {key: value}
    patch = shell.quote(json.dumps(value))
    return f"kubectl patch {cluster.words} --type=merge -p {patch} && kubectl delete {job.words}"


RULE = Rule(
    rule_id="postgres-restore-failed",
    title="a restore Job of PGO fails",
    find=find,
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/tutorials/"
    "backups-disaster-recovery/disaster-recovery",
)
