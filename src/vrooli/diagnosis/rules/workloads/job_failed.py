"""A Job or a hook of the release failed."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.chart.manifest import HOOK
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import explaining_line, last_events, log_of
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, annotations_of, creation_time, items, ref_of, text
from vrooli.kube.status import job_status, pod_status

TEST = "test"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each failed Job without a newer success of the same owner, and each failed hook pod.

    The pod of a failed Helm test keeps its log until the next test; the release is not affected.
    """
    jobs = evidence.all("Job")
    for job in jobs:
        failure = job_status(job).failure
        if failure is not None and not _has_succeeded_since(job, jobs):
            yield _symptom(evidence, job, failure.reason, failure.message)
    for pod in evidence.all("Pod"):
        is_hook = annotations_of(pod).get(HOOK, TEST) != TEST
        is_owned = bool(items(pod, "metadata", "ownerReferences"))
        if is_hook and not is_owned and text(pod, "status", "phase") == "Failed":
            message = text(pod, "status", "message") or "its container terminated with an error"
            yield _symptom(evidence, pod, text(pod, "status", "reason") or "Failed", message)


def _symptom(evidence: Evidence, body: Body, reason: str, message: str) -> Symptom:
    ref, maker = ref_of(body), _maker(body)
    kind = f"the hook {annotations_of(body)[HOOK]}" if HOOK in annotations_of(body) else "it"
    pods = evidence.pods_of(ref) or ([body] if ref.kind == "Pod" else [])
    log = [line for pod in pods for item in _names(pod) for line in log_of(evidence, pod, item)]
    if maker.kind == "CronJob":
        command = f"kubectl create job {shell.name(ref.name)}-again --from={maker.words}"
    else:
        command = f"kubectl delete {ref.words}"
    return Symptom(
        resource=ref,
        message=f"{kind} failed ({reason}): {message}"
        + (f"; its last message: {explaining_line(log)}" if log else ""),
        remediation="Fix the error in its log, and run it again."
        + ("" if maker.kind == "CronJob" else " Its owner recreates it after it is deleted."),
        command=command,
        evidence=(*last_events(evidence, ref), *log[-8:]),
    )


def _names(pod: Body) -> list[str]:
    return [item.name for item in pod_status(pod).containers]


def _maker(body: Body) -> Ref:
    owners = items(body, "metadata", "ownerReferences")
    owner = owners[0] if owners else {}
    return Ref(text(owner, "kind"), text(owner, "name"), ref_of(body).namespace)


def _has_succeeded_since(job: Body, jobs: list[Body]) -> bool:
    """Whether a later Job of the same owner has succeeded."""
    maker = _maker(job)
    return any(
        maker.name
        and _maker(later) == maker
        and creation_time(later) > creation_time(job)
        and job_status(later).is_complete
        for later in jobs
    ) or any(
        # A Job that `kubectl create job --from=cronjob/…` created has no owner reference in common.
        annotations_of(later).get("cronjob.kubernetes.io/instantiate") == "manual"
        and ref_of(later).name == f"{ref_of(job).name}-again"
        and job_status(later).is_complete
        for later in jobs
    )


RULE = Rule(
    rule_id="job-failed",
    title="BackoffLimitExceeded, DeadlineExceeded: a Job or a hook failed",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/controllers/job/",
)
