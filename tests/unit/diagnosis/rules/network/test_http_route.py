"""The rule http-route-not-served, and the Gateway's controller in other rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, START, diagnosed, evidence, found
from support.objects.network import LABELS, helper, service, shop
from vrooli.diagnosis.rules.network import http_route, ingress_controller

REF = {"name": "public", "namespace": "gateways"}


def route(
    *conditions: tuple[str, str, str], created: str = START, reported: bool = True
) -> dict[str, Any]:
    """An HTTPRoute to the Service; the conditions are types, statuses and reasons."""
    written = conditions or (("Accepted", "True", ""), ("ResolvedRefs", "True", ""))
    report = {
        "parentRef": REF,
        "controllerName": "traefik.io/gateway-controller",
        "conditions": [{"type": a, "status": b, "reason": c} for a, b, c in written],
    }
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "dev", "creationTimestamp": created},
        "spec": {"parentRefs": [REF], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]},
        "status": {"parents": [report] if reported else []},
    }


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (("Accepted", "False", "NoMatchingListenerHostname"), "NoMatchingListenerHostname"),
        (("Accepted", "False", "NotAllowedByListeners"), "Gateway/public in gateways does not"),
    ],
)
def test_a_route_that_is_not_accepted_is_found_with_the_reason(
    condition: tuple[str, str, str], message: str
) -> None:
    (symptom,) = http_route.RULE.find(evidence(route(condition)))
    assert message in symptom.message
    assert symptom.command == "kubectl describe httproute/web -n dev"
    assert "allowedRoutes" in symptom.remediation


def test_backends_that_cannot_be_resolved_are_found() -> None:
    body = route(("Accepted", "True", ""), ("ResolvedRefs", "False", "BackendNotFound"))
    (cause,) = diagnosed(evidence(body)).causes
    assert cause.finding.rule_id == "http-route-not-served"
    assert "BackendNotFound" in cause.finding.message


def test_a_route_that_no_controller_reports_on_is_found_after_a_minute() -> None:
    assert found(http_route.RULE, evidence(route(reported=False))) == ["HTTPRoute/web"]
    young = (NOW - timedelta(seconds=20)).isoformat()
    assert not found(http_route.RULE, evidence(route(reported=False, created=young)))


def test_a_route_that_is_served_has_no_symptom() -> None:
    assert not found(http_route.RULE, evidence(route()))


def test_the_controller_of_a_gateway_that_does_not_run_is_found_by_its_name() -> None:
    assert not found(ingress_controller.RULE, evidence(route(), helper("traefik")))
    seen = evidence(route(), service(LABELS), shop(), helper("traefik", 0, 0))
    (cause,) = diagnosed(seen).causes
    assert cause.finding.rule_id == "ingress-controller-down"
    assert "Deployment/traefik" in str(cause.resource)
