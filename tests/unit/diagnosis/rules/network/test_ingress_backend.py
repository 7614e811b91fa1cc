"""The rule ingress-without-backend."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found, with_objects
from support.objects.network import LABELS, ingress, service, shop
from vrooli.diagnosis.rules.network import ingress_backend


def test_an_ingress_without_its_service_or_port_is_told() -> None:
    (lost,) = ingress_backend.RULE.find(with_objects(evidence(ingress()), service({}, name="x")))
    assert "*/ routes to Service/shop, which does not exist" in lost.message
    seen = evidence(ingress({"number": 81}), service(LABELS), shop())
    (portless,) = ingress_backend.RULE.find(seen)
    assert "port 81 of Service/shop, which has 80" in portless.message
    assert not found(ingress_backend.RULE, evidence(ingress(), service(LABELS)))
