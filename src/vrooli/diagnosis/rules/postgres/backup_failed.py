"""The last backup failed."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, condition, creation_time, labels, number, ref_of, text
from vrooli.operators.pgo.names import BACKUP_LABEL, CLUSTER_LABEL, CRON_JOB_LABEL

KINDS = (BACKUP_LABEL, CRON_JOB_LABEL)
ERROR = r"ERROR|FATAL|\[\d{3}\]"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster whose latest finished backup failed."""
    for cluster, _ in postgres.clusters(evidence):
        jobs = [
            job
            for job in evidence.all("Job")
            if text(labels(job), CLUSTER_LABEL) == cluster.name
            and any(kind in labels(job) for kind in KINDS)
        ]
        ended = sorted(
            (job for job in jobs if _has_failed(job) or _is_done(job)), key=creation_time
        )
        if ended and _has_failed(ended[-1]):
            ref = ref_of(ended[-1])
            pods = [ref_of(pod).name for pod in evidence.pods_of(ref)]
            log = [line for name in pods for line in evidence.lines(ERROR, pods=name)]
            yield Symptom(
                resource=ref,
                message="the last backup failed: "
                f"{text(condition(ended[-1], 'Failed'), 'message') or 'its Job failed'}.",
                remediation="Fix the error in its log (the repository, its credentials, its free "
                "space), then run a backup again.",
                command=_again(evidence, cluster, ref),
                evidence=(*last_events(evidence, ref), *quoted(log)),
                # PostgreSQL keeps running without a backup.
                can_explain=("job-failed", "not-ready"),
            )


def _has_failed(job: Body) -> bool:
    return condition(job, "Failed").get("status") == "True"


def _is_done(job: Body) -> bool:
    return number(job, "status", "succeeded") > 0


def _again(evidence: Evidence, cluster: Ref, job: Ref) -> str:
    """The command that starts a backup now. PGO deletes the failed Job after a newer success."""
    for body in evidence.all("CronJob"):
        if text(labels(body), CLUSTER_LABEL) == cluster.name:
            name = ref_of(body).name
            when = evidence.now.strftime("%H%M%S")
            return (
                f"kubectl create job {shell.name(name)}-{when} "
                f"--from=cronjob/{shell.name(name)} -n {shell.label(cluster.namespace)}"
            )
    return f"kubectl logs {job.words} --all-containers --tail=50"


RULE = Rule(
    rule_id="postgres-backup-failed",
    title="a backup Job of PGO failed",
    find=find,
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/tutorials/"
    "backups-disaster-recovery",
)
