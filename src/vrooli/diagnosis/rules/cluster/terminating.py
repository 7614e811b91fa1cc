"""An object that was deleted doesn't go: a finalizer, or a node that says nothing, keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, is_deleted, items, number, ref_of, text, texts

# Who has a finalizer needs a moment, and pods their time to end besides, seconds.
GRACE_S, POD_S = 20.0, 30.0
# What protects a volume that is in use goes by itself once it isn't.
IN_USE = ("kubernetes.io/pvc-protection", "kubernetes.io/pv-protection")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each object of the release's namespace, and the namespace, that is overdue."""
    for kind in evidence.objects:
        for body in evidence.all(kind):
            is_its = ref_of(body).namespace or ref_of(body).name == evidence.namespace
            if is_deleted(body) and is_its and (since := _overdue_s(evidence, body)) is not None:
                yield _symptom(evidence, body, since)


def _overdue_s(evidence: Evidence, body: Body) -> float | None:
    age = age_s(evidence, text(body, "metadata", "deletionTimestamp"))
    # A deletionTimestamp has the grace period in it.
    grace = POD_S if body.get("kind") == "Pod" else GRACE_S
    return age if age is not None and age > grace else None


def _symptom(evidence: Evidence, body: Body, since: float) -> Symptom:
    ref, finalizers = ref_of(body), _finalizers(body)
    states = [
        text(item, "message")
        for item in items(body, "status", "conditions")
        if ref.kind == "Namespace" and item.get("status") == "True" and item.get("message")
    ]
    why = (
        f"{', '.join(finalizers)} keeps it"
        if finalizers
        else "its node doesn't say that it has ended"
    )
    if states:
        why = "; ".join(states)
    return Symptom(
        resource=ref,
        message=f"it was deleted, and is still there after {since:.0f} s: {why}",
        remediation=_remedy(finalizers, ref),
        command=_command(finalizers, ref),
        evidence=(
            f"deletionTimestamp {text(body, 'metadata', 'deletionTimestamp')}, grace "
            f"{number(body, 'metadata', 'deletionGracePeriodSeconds')} s, finalizers "
            f"{', '.join(finalizers) or 'none'}",
            *last_events(evidence, ref),
        ),
    )


def _finalizers(body: Body) -> list[str]:
    return list(texts(body, "metadata", "finalizers"))


def _remedy(finalizers: list[str], ref: Ref) -> str:
    if any(item in IN_USE for item in finalizers):
        return "End the pods that use it: then it goes by itself."
    if ref.kind == "Namespace":
        return "Delete what is left in it; each thing's own finalizer says who is waited for."
    if finalizers:
        return (
            "See that whoever has put the finalizer there runs: it cleans up, and takes it away. "
            "If that one is gone for good, take it away by hand."
        )
    return "Bring its node back; if that is gone for good, delete the pod at once."


def _command(finalizers: list[str], ref: Ref) -> str:
    if any(item in IN_USE for item in finalizers) or ref.kind == "Namespace":
        return f"kubectl describe {ref.words}"
    if finalizers:
        return f'kubectl patch {ref.words} --type=merge -p \'{{"metadata":{{"finalizers":null}}}}\''
    return f"kubectl delete {ref.words} --grace-period=0 --force"


RULE = Rule(
    rule_id="stuck-terminating",
    title="Terminating: a deleted object doesn't go",
    find=find,
    link="https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
