"""Where pods serve metrics: from monitors, Services and container ports, at no fixed port."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import evidence, pod, pod_of
from vrooli.diagnosis.bundle.metrics import MetricsEndpoint, find_endpoints
from vrooli.kube.objects import Ref, ref_of

SERVER = pod_of(
    "vrooli-dev-server",
    spec={"containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 9001}]}]},
)
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "vrooli-dev-server", "namespace": "dev", "labels": {"app": "x"}},
    "spec": {
        "selector": {"app.kubernetes.io/component": "server"},
        "ports": [{"name": "http", "port": 5329, "targetPort": "http"}],
    },
}
REDIS = pod(
    "rfr-vrooli-rf-0",
    labels={"app.kubernetes.io/component": "redis"},
    spec={"containers": [{"name": "x", "ports": [{"name": "metrics", "containerPort": 9121}]}]},
)


def monitor(kind: str, selector: dict[str, Any], **endpoint: Any) -> dict[str, Any]:
    """A monitor with one endpoint."""
    field = "podMetricsEndpoints" if kind == "PodMonitor" else "endpoints"
    return {"kind": kind, "spec": {"selector": selector, field: [endpoint]}}


def test_a_component_serves_metrics_at_the_port_that_its_service_leads_to() -> None:
    assert find_endpoints(evidence(SERVER, SERVICE), []) == [MetricsEndpoint(ref_of(SERVER), 9001)]


def test_a_component_without_a_service_has_no_endpoint() -> None:
    assert find_endpoints(evidence(SERVER), []) == []


def test_a_pod_monitor_names_the_port_of_its_pods() -> None:
    expression = {"key": "app.kubernetes.io/component", "operator": "In", "values": ["redis"]}
    redis = monitor("PodMonitor", {"matchExpressions": [expression]}, port="metrics")
    expected = MetricsEndpoint(Ref("Pod", "rfr-vrooli-rf-0", "dev"), 9121)
    assert find_endpoints(evidence(REDIS), [redis]) == [expected]


def test_a_service_monitor_names_the_port_and_the_path() -> None:
    server = monitor("ServiceMonitor", {"matchLabels": {"app": "x"}}, port="http", path="/numbers")
    endpoints = find_endpoints(evidence(SERVER, SERVICE), [server])
    assert endpoints == [MetricsEndpoint(ref_of(SERVER), 9001, "/numbers")]


def test_a_port_that_no_container_has_is_no_endpoint() -> None:
    server = monitor("PodMonitor", {}, port="other")
    assert find_endpoints(evidence(SERVER), [server]) == []


def test_a_container_port_called_metrics_is_an_endpoint() -> None:
    assert find_endpoints(evidence(REDIS), []) == [MetricsEndpoint(ref_of(REDIS), 9121)]
