"""The rule unschedulable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.diagnosis.evidence import evidence, found, happening
from support.objects.workloads import POD, the_one, unscheduled
from vrooli.diagnosis.rules.workloads import unschedulable
from vrooli.kube.events import Event


def test_a_node_that_is_being_made_is_told_and_waited_for() -> None:
    def said(reason: str, ago_s: float) -> Event:
        found = happening(POD, reason, "pod triggered scale-up: [{web 0->1}]", ago_s=ago_s)
        return replace(found, source="cluster-autoscaler")

    waits = unscheduled("0/1 nodes are available: 1 Insufficient cpu.")
    finding = the_one(evidence(waits, events=[said("TriggeredScaleUp", 60)]))
    assert (
        "an autoscaler is adding a node (pod triggered scale-up: [{web 0->1}])" in finding.message
    )
    assert finding.remediation.startswith("Wait")
    refused = [said("TriggeredScaleUp", 60), said("NotTriggerScaleUp", 20)]
    for events in (refused, [said("TriggeredScaleUp", 16 * 60)]):
        assert "enough capacity" in the_one(evidence(waits, events=events)).message


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu. preemption: not helpful", "enough capacity"),
        ("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", "free GPU"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", "taints"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint(s).", "taints"),
        (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            "matches",
        ),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "cordoned"),
        ("0/1 nodes are available: 1 node(s) didn't have free ports", "port"),
        ("no nodes available to schedule pods", "no nodes"),
    ],
)
def test_why_no_node_takes_a_pod_is_told_apart(said: str, why: str) -> None:
    finding = the_one(evidence(unscheduled(said)))
    assert finding.rule_id == "unschedulable"
    assert why in finding.message
    assert said in finding.message


@pytest.mark.parametrize(
    ("spec", "said", "command"),
    [
        (
            {"taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]},
            "1 node(s) had untolerated taint {dedicated: db}",
            "kubectl taint nodes one dedicated:NoSchedule-",
        ),
        ({"unschedulable": True}, "1 node(s) were unschedulable", "kubectl uncordon one"),
    ],
)
def test_what_is_wrong_with_the_node_is_mended_there(
    spec: dict[str, Any], said: str, command: str
) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    node = {"kind": "Node", "metadata": {"name": "one"}, "spec": spec, "status": ready}
    assert the_one(evidence(unscheduled(said), node)).command == command


def test_a_claim_that_waits_is_not_the_schedulers_to_tell() -> None:
    seen = unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    assert not found(unschedulable.RULE, evidence(seen))
