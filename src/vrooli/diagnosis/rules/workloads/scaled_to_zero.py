"""A component of the release is scaled to 0 pods, which the release does not ask for."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import deployed_field
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, labels, mapping, ref_of, selects
from vrooli.kube.status import SCALED_TO_ZERO
from vrooli.release.rollout import readiness


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Deployment or StatefulSet of the release that somebody scaled to 0 pods."""
    for manifest in evidence.manifests:
        if manifest.is_hook or manifest.kind not in ("Deployment", "StatefulSet"):
            continue
        if readiness.unready_reason(manifest, evidence) != SCALED_TO_ZERO:
            continue
        ref = Ref(manifest.kind, manifest.name, evidence.namespace)
        replicas = deployed_field(evidence, ref, "spec", "replicas") or 1
        yield Symptom(
            resource=ref,
            message=SCALED_TO_ZERO,
            remediation="Scale it up. `vrooli develop` and `vrooli deploy` do it, too.",
            command=f"kubectl scale {ref.words} --replicas={shell.amount(replicas)}",
            affects=_services(evidence, manifest.body),
        )


def _services(evidence: Evidence, workload: Body) -> tuple[Ref, ...]:
    """The Services that select its pods."""
    own = labels(mapping(workload, "spec", "template"))
    return tuple(
        ref_of(service)
        for service in evidence.all("Service")
        if (selector := mapping(service, "spec", "selector")) and selects(selector, own)
    )


RULE = Rule(
    rule_id="scaled-to-zero",
    title="a component of the release is scaled to 0 pods",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment",
)
