"""The rule disruption-budget-blocks."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import evidence, found, pod_of
from support.objects.cluster import node
from vrooli.diagnosis.rules.cluster import disruption_budget


def budget(allowed: int, **metadata: Any) -> dict[str, Any]:
    """A budget of the server's only pod."""
    selector = {"matchLabels": {"app.kubernetes.io/component": "server"}}
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "server", "namespace": "dev", **metadata},
        "spec": {"minAvailable": 1, "selector": selector},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "expectedPods": 1},
    }


def test_a_budget_that_lets_no_pod_go_is_told_while_a_node_is_to_be_emptied() -> None:
    there = pod_of("vrooli-dev-server", spec={"nodeName": "one"})
    seen = evidence(node(unschedulable=True), there, budget(0))
    (symptom,) = disruption_budget.RULE.find(seen)
    assert "PodDisruptionBudget/server (minAvailable 1; 1 of 1 pods are healthy)" in symptom.message
    assert symptom.command.startswith("kubectl patch poddisruptionbudget/server -n dev")
    assert not found(disruption_budget.RULE, evidence(node(), there, budget(0)))
    open_one = evidence(node(unschedulable=True), there, budget(1))
    assert not found(disruption_budget.RULE, open_one)
