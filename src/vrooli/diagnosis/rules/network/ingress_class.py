"""No controller handles an Ingress: its class does not exist, or it has none."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch, restore_field_command
from vrooli.kube.classes import annotated_class, is_default
from vrooli.kube.objects import Ref, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Ingress without an existing class."""
    if not evidence.is_readable("IngressClass"):
        return
    classes = evidence.all("IngressClass")
    names = sorted(ref_of(item).name for item in classes)
    has_default = any(map(is_default, classes))
    existing = f"available: {', '.join(names)}" if names else "the cluster has none"
    for ingress in evidence.all("Ingress"):
        name = text(ingress, "spec", "ingressClassName")
        if name in names or (not name and (has_default or annotated_class(ingress))):
            continue
        problem = (
            f"its class {name} does not exist"
            if name
            else "it has no class, and no class is the default"
        )
        ref = ref_of(ingress)
        yield Symptom(
            resource=ref,
            message=f"no controller handles it: {problem} ({existing})",
            remediation="Set a class that exists (ingress.className), or install the controller.",
            command=_command(evidence, ref, names),
            evidence=(f"IngressClass: {existing}",),
            can_explain=("not-ready",),
        )


def _command(evidence: Evidence, ref: Ref, names: list[str]) -> str:
    back = restore_field_command(evidence, ref, "spec", "ingressClassName")
    if not back and names:
        back = patch(ref, names[0], "spec", "ingressClassName")
    return back or "kubectl get ingressclass"


RULE = Rule(
    rule_id="ingress-class-missing",
    title="no controller handles an Ingress: its class does not exist",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class",
)
