"""The rule ingress-controller-down."""

from __future__ import annotations

from support.diagnosis.evidence import diagnosed, evidence, found
from support.objects.network import CLASS, LABELS, helper, ingress, service, shop
from vrooli.diagnosis.rules.network import ingress_controller


def test_an_ingress_controller_that_does_not_run_is_found_by_its_class() -> None:
    assert not found(ingress_controller.RULE, evidence(ingress(), CLASS, helper("traefik")))
    seen = evidence(ingress(), CLASS, service(LABELS), shop(), helper("traefik", 0, 0))
    (cause,) = diagnosed(seen).causes
    assert cause.finding.rule_id == "ingress-controller-down"
    assert cause.finding.command == "kubectl scale deployment/traefik -n kube-system --replicas=1"
