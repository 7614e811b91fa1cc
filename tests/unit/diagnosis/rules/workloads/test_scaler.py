"""The rule scaler-without-metrics."""

from __future__ import annotations

from support.diagnosis.evidence import NOW, evidence, found
from support.objects.cluster import autoscaler
from vrooli.diagnosis.rules.workloads import scaler


def test_an_autoscaler_without_metrics_is_told_with_what_it_lacks() -> None:
    (symptom,) = scaler.RULE.find(evidence(autoscaler("missing request for cpu in container x")))
    assert symptom.command == (
        "kubectl set resources deployment/vrooli-dev-server -n dev --requests=cpu=50m"
    )
    young = autoscaler("did not receive metrics", lastTransitionTime=NOW.isoformat())
    assert not found(scaler.RULE, evidence(young))
    assert not found(scaler.RULE, evidence(autoscaler("", "ScalingDisabled")))
