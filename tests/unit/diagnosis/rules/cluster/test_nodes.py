"""The rules node-not-ready, node-pressure."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.evidence import diagnosed, evidence, found, pod_of
from support.objects.cluster import names, node
from vrooli.diagnosis.rules.cluster import nodes


def kept_away() -> dict[str, Any]:
    """A pod that waits for the node."""
    said = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/x: }"
    waits = {"type": "PodScheduled", "status": "False", "message": said}
    return pod_of("vrooli-dev-server", ready=False, phase="Pending", conditions=[waits])


def test_a_node_that_is_not_ready_is_the_cause_of_the_pods_that_it_keeps_away() -> None:
    (cause,) = diagnosed(evidence(node("Unknown"), kept_away())).causes
    assert cause.finding.rule_id == "node-not-ready"
    assert [item.rule_id for item in cause.consequences] == ["unschedulable"]
    assert not found(nodes.NOT_READY, evidence(node()))


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure"])
def test_a_node_that_is_short_of_something_is_told(kind: str) -> None:
    short = {"type": kind, "status": "True", "message": "kubelet has too little"}
    assert names(evidence(node(conditions=[short]), kept_away())) == ["node-pressure"]
    assert not found(nodes.PRESSURE, evidence(node(conditions=[{**short, "status": "False"}])))
