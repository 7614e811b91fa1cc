"""The rule scaled-to-zero."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import evidence, found
from support.objects.network import LABELS, deployed, service
from vrooli.diagnosis.rules.network import service_endpoints
from vrooli.diagnosis.rules.workloads import scaled_to_zero


def shop(replicas: int) -> dict[str, Any]:
    """A Deployment without pods."""
    template = {"metadata": {"labels": LABELS}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "dev"},
        "spec": {"replicas": replicas, "template": template},
    }


def test_a_component_that_somebody_scaled_to_zero_is_scaled_to_what_the_release_has() -> None:
    base = deployed(evidence(service(LABELS), shop(0)), shop(3))
    (symptom,) = scaled_to_zero.RULE.find(base)
    assert symptom.command == "kubectl scale deployment/shop -n dev --replicas=3"
    assert [str(item) for item in symptom.affects] == ["Service/shop"]
    assert not found(service_endpoints.RULE, base)


def test_a_component_that_the_release_scales_to_zero_is_intended() -> None:
    assert not found(scaled_to_zero.RULE, deployed(evidence(shop(0)), shop(0)))
