"""A Deployment's new version doesn't get there in its time, or is paused."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence, replicas_of
from vrooli.diagnosis.evidence.workloads import AGAIN, told, way_back
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, condition, dig, number, ref_of, text
from vrooli.kube.status import is_pod_ready


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Deployment that has stopped on its way."""
    for body in evidence.all("Deployment"):
        ref, progress = ref_of(body), condition(body, "Progressing")
        updated = number(body, "status", "updatedReplicas")
        if dig(body, "spec", "paused") and updated < replicas_of(body):
            yield Symptom(
                about=ref,
                found=f"its rollout is paused: {updated} of {replicas_of(body)} pods are of the "
                "current version",
                remedy="Let it go on.",
                command=f"kubectl rollout resume {ref.words}",
                evidence=(f"Progressing {progress.get('status')}: {text(progress, 'message')}",),
            )
        elif text(progress, "reason") == "ProgressDeadlineExceeded":
            yield Symptom(
                about=ref,
                found=f"its rollout is stuck: {text(progress, 'message')}",
                remedy=f"See what its new pods wait for. {AGAIN}, or go back.",
                command=way_back(evidence, ref),
                evidence=(*_waiting(evidence, ref), *told(evidence, ref)),
            )


def _waiting(evidence: Evidence, ref: Ref) -> tuple[str, ...]:
    return tuple(
        f"{ref_of(pod)} isn't ready: {text(condition(pod, 'Ready'), 'message')}"
        for pod in evidence.of(ref)
        if not is_pod_ready(pod)
    )


RULE = Rule(
    name="rollout-stuck",
    title="ProgressDeadlineExceeded: a rollout is stuck, or paused",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment",
)
