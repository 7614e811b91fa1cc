"""The rule host-suspended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, diagnosed, evidence, found, happening, pod_of
from support.objects.cluster import names, node
from vrooli.cluster.embedded.host.suspension import RECOVERY_S
from vrooli.cluster.embedded.supervisor import node_events
from vrooli.diagnosis.rules.cluster import host_suspended
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref, ref_of


def suspended(ago_s: float = 40.0) -> Event:
    """The event of a suspension that ended some seconds ago."""
    words = "this machine was suspended, or its clock was set forward, for 42 min until 08:00:00"
    event = happening(Ref("Node", "one"), node_events.SUSPENDED, words, ago_s=ago_s)
    return replace(event, source=node_events.SOURCE)


def unready(ago_s: float, **settings: Any) -> dict[str, Any]:
    """A pod on the node that became unready some seconds ago."""
    changed = (NOW - timedelta(seconds=ago_s)).isoformat()
    probed = {"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}
    spec = {"nodeName": "one", "containers": [probed]}
    pod = pod_of("vrooli-dev-server", ready=False, spec=spec, **settings)
    pod["status"]["conditions"][0]["lastTransitionTime"] = changed
    return pod


def test_a_node_that_is_not_ready_after_a_suspension_has_it_as_cause() -> None:
    (cause,) = diagnosed(evidence(node("Unknown"), events=[suspended()])).causes
    assert cause.finding.rule_id == "host-suspended"
    assert "42 min" in cause.finding.message
    assert "vrooli status --watch" in cause.finding.remediation
    assert [item.rule_id for item in cause.consequences] == ["node-not-ready"]


def test_a_pod_that_became_unready_after_it_is_a_consequence() -> None:
    pod = unready(ago_s=200)
    probe = happening(ref_of(pod), "Unhealthy", "Readiness probe failed: connection refused")
    (cause,) = diagnosed(evidence(node(), pod, events=[suspended(ago_s=240), probe])).causes
    assert cause.finding.rule_id == "host-suspended"
    assert [item.rule_id for item in cause.consequences] == ["probe-failing"]


def test_a_pod_that_was_unready_before_is_no_consequence() -> None:
    assert not found(
        host_suspended.RULE, evidence(node(), unready(ago_s=900), events=[suspended()])
    )


def test_an_image_that_does_not_exist_is_no_consequence() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}
    observed = evidence(node(), unready(ago_s=30, state=waiting), events=[suspended()])
    assert "image-pull" in names(observed)


@pytest.mark.parametrize("ago_s", [RECOVERY_S, 3000.0])
def test_an_old_suspension_is_no_cause(ago_s: float) -> None:
    assert names(evidence(node("Unknown"), events=[suspended(ago_s)])) == ["node-not-ready"]


def test_a_healthy_release_after_a_suspension_has_no_problem() -> None:
    assert not found(host_suspended.RULE, evidence(node(), events=[suspended()]))


def test_an_event_of_the_kubelet_is_ignored() -> None:
    other = replace(suspended(), source="kubelet")
    assert not found(host_suspended.RULE, evidence(node("Unknown"), events=[other]))
