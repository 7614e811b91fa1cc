"""A node is cordoned for a drain, and disruption budgets block the eviction of its pods."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch
from vrooli.kube.objects import Body, items, labels, mapping, matches_selector, number, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cordoned node whose pods cannot be evicted because of their budgets."""
    for node in evidence.all("Node"):
        if not mapping(node, "spec").get("unschedulable"):
            continue
        name = ref_of(node).name
        closed = [
            item
            for item in evidence.all("PodDisruptionBudget")
            if _blocks_drain(evidence, item, name)
        ]
        if closed:
            yield Symptom(
                resource=ref_of(node),
                message="the node is cordoned but cannot be drained: "
                + ", ".join(map(_describe, closed)),
                remediation="Run more pods than the budget requires, relax the budget, or uncordon "
                "the node.",
                command=_command(closed, name),
                evidence=tuple(map(_describe, closed)),
                # Its pods keep running.
                can_explain=("unschedulable", "stuck-terminating"),
            )


def _blocks_drain(evidence: Evidence, budget: Body, node: str) -> bool:
    """Whether a budget with healthy pods allows no disruption and selects pods on the node."""
    status = mapping(budget, "status")
    healthy, expected = number(status, "currentHealthy"), number(status, "expectedPods")
    selector = mapping(budget, "spec", "selector")
    return (
        number(status, "disruptionsAllowed") == 0
        and healthy >= expected > 0
        and any(
            text(pod, "spec", "nodeName") == node and matches_selector(selector, labels(pod))
            for pod in evidence.all("Pod")
        )
    )


def _describe(budget: Body) -> str:
    spec, status = mapping(budget, "spec"), mapping(budget, "status")
    limits = [f"{key} {spec[key]}" for key in ("minAvailable", "maxUnavailable") if key in spec]
    healthy, expected = number(status, "currentHealthy"), number(status, "expectedPods")
    return f"{ref_of(budget)} ({' '.join(limits)}; {healthy} of {expected} pods are healthy)"


def _command(closed: list[Body], node: str) -> str:
    """Patch a single budget without an owner; operators revert changes to their budgets."""
    if len(closed) == 1 and not items(closed[0], "metadata", "ownerReferences"):
        return patch(ref_of(closed[0]), {"minAvailable": None, "maxUnavailable": 1}, "spec")
    return f"kubectl uncordon {shell.name(node)}"


RULE = Rule(
    rule_id="disruption-budget-blocks",
    title="Cannot evict pod as it would violate the pod's disruption budget",
    find=find,
    link="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
)
