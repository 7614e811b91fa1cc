"""The rule api-service-down."""

from __future__ import annotations

from support.diagnosis.evidence import START, asleep, diagnosed, evidence, found
from support.objects.cluster import autoscaler
from vrooli.diagnosis.rules.cluster import api_service

METRICS = {
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io", "creationTimestamp": START},
    "spec": {"service": {"name": "metrics-server", "namespace": "kube-system"}},
    "status": {
        "conditions": [
            {"type": "Available", "status": "False", "reason": "MissingEndpoints", "message": "no"}
        ]
    },
}


def test_a_metrics_server_that_is_down_is_the_cause_of_all_that_it_stops() -> None:
    server = asleep("metrics-server", "kube-system")
    seen = evidence(METRICS, *server, autoscaler("unable to fetch metrics"))
    (cause,) = diagnosed(seen).causes
    assert (cause.finding.rule_id, cause.finding.resource) == (
        "api-service-down",
        "Deployment/metrics-server",
    )
    assert [item.rule_id for item in cause.consequences] == ["scaler-without-metrics"]


def test_an_api_service_that_is_left_over_is_deleted() -> None:
    (symptom,) = api_service.RULE.find(evidence(METRICS))
    assert symptom.command == "kubectl delete apiservice/v1beta1.metrics.k8s.io"
    fine = {**METRICS, "status": {"conditions": [{"type": "Available", "status": "True"}]}}
    assert not found(api_service.RULE, evidence(fine))
