"""A deleted object remains because of a finalizer or a node that does not respond."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.model import OTHER_NAMESPACES, Evidence
from vrooli.diagnosis.evidence.workloads import age_s, down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, is_deleted, items, number, ref_of, text, texts
from vrooli.operators import Operator
from vrooli.operators.catalog import find_operator
from vrooli.operators.model import INSTALL_COMMAND

# Finalizers take a moment, and pods also have their grace period, seconds.
GRACE_S, POD_S = 20.0, 30.0
# Finalizers that Kubernetes removes when the volume is no longer in use.
IN_USE = ("kubernetes.io/pvc-protection", "kubernetes.io/pv-protection")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the namespace and each of its objects whose deletion is overdue."""
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
        f"the finalizer {', '.join(finalizers)} blocks the deletion"
        if finalizers
        else "its node does not confirm that it terminated"
    )
    if states:
        why = "; ".join(states)
    operator = find_operator(ref.kind) if finalizers else None
    if operator is not None:
        why += f", which {operator.subject} ({operator.name}) must remove"
        why += _absence(evidence, operator)
    return Symptom(
        resource=ref,
        message=f"it was deleted but still exists after {since:.0f} s: {why}",
        remediation=_remedy(finalizers, ref, operator),
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


def _absence(evidence: Evidence, operator: Operator) -> str:
    """Why an operator does not remove finalizers, in words; empty if it runs or is unknown."""
    bodies = deployments(evidence, operator)
    reasons = [reason for body in bodies if (reason := down(evidence, ref_of(body)))]
    if reasons:
        return f", but it does not run: {reasons[0]}"
    is_known = evidence.is_readable("Deployment", operator.namespace)
    is_known = is_known and not evidence.is_hidden("Deployment", OTHER_NAMESPACES)
    return ", but it is not installed" if is_known and not bodies else ""


def _remedy(finalizers: list[str], ref: Ref, operator: Operator | None) -> str:
    if any(item in IN_USE for item in finalizers):
        return "Delete the pods that use it. Kubernetes then deletes it automatically."
    if ref.kind == "Namespace":
        return (
            "Delete the remaining objects in it. Their finalizers show which controller must "
            "clean up."
        )
    if operator is not None:
        return (
            f"Install or start {operator.subject} (`{INSTALL_COMMAND}`): it removes the finalizer. "
            "If it is gone for good, remove the finalizer manually."
        )
    if finalizers:
        return (
            "Make sure that the controller of the finalizer is running: it cleans up and removes "
            "the finalizer. If the controller no longer exists, remove the finalizer manually."
        )
    return "Restart its node. If the node no longer exists, force the deletion of the pod."


def _command(finalizers: list[str], ref: Ref) -> str:
    if any(item in IN_USE for item in finalizers) or ref.kind == "Namespace":
        return f"kubectl describe {ref.words}"
    if finalizers:
        return f'kubectl patch {ref.words} --type=merge -p \'{{"metadata":{{"finalizers":null}}}}\''
    return f"kubectl delete {ref.words} --grace-period=0 --force"


RULE = Rule(
    rule_id="stuck-terminating",
    title="Terminating: a deleted object still exists",
    find=find,
    link="https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
