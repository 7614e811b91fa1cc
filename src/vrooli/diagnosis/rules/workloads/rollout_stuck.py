"""A Deployment's rollout exceeded its progress deadline or is paused."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence, replicas_of
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.objects import Ref, condition, dig, ref_of, text
from vrooli.kube.status import pod_status, workload_status


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Deployment whose rollout is stuck or paused."""
    for body in evidence.all("Deployment"):
        ref, progress = ref_of(body), condition(body, "Progressing")
        updated = workload_status(body).updated
        if dig(body, "spec", "paused") and updated < replicas_of(body):
            yield Symptom(
                resource=ref,
                message=f"its rollout is paused: {updated} of {replicas_of(body)} pods have the "
                "current version",
                remediation="Resume the rollout.",
                command=f"kubectl rollout resume {ref.words}",
                evidence=(f"Progressing {progress.get('status')}: {text(progress, 'message')}",),
            )
        elif text(progress, "reason") == "ProgressDeadlineExceeded":
            yield Symptom(
                resource=ref,
                message=f"its rollout is stuck: {text(progress, 'message')}",
                remediation=f"Check what its new pods are waiting for. {REDEPLOY_HINT}, or roll "
                "back.",
                command=rollback_command(evidence, ref),
                evidence=(*_waiting(evidence, ref), *last_events(evidence, ref)),
            )


def _waiting(evidence: Evidence, ref: Ref) -> tuple[str, ...]:
    return tuple(
        f"{ref_of(pod)} is not ready: {status.readiness.message if status.readiness else ''}"
        for pod in evidence.pods_of(ref)
        if not (status := pod_status(pod)).is_ready
    )


RULE = Rule(
    rule_id="rollout-stuck",
    title="ProgressDeadlineExceeded: a rollout is stuck or paused",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment",
)
