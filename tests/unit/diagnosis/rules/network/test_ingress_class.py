"""The rule ingress-class-missing."""

from __future__ import annotations

import json

from support.diagnosis.evidence import evidence, found
from support.objects.network import CLASS, ingress
from vrooli.diagnosis.rules.network import ingress_class


def test_an_ingress_of_no_class_is_taken_up_by_nobody() -> None:
    assert not found(ingress_class.RULE, evidence(ingress(), CLASS))
    (symptom,) = ingress_class.RULE.find(evidence(ingress(ingressClassName="nginx"), CLASS))
    assert "class nginx does not exist (available: traefik)" in symptom.message
    assert json.loads(symptom.command.split("'")[1]) == {"spec": {"ingressClassName": "traefik"}}
    (classless,) = ingress_class.RULE.find(evidence(ingress(ingressClassName=None), CLASS))
    assert "no class" in classless.message
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    chosen = {**CLASS, "metadata": {"name": "traefik", "annotations": default}}
    assert not found(ingress_class.RULE, evidence(ingress(ingressClassName=None), chosen))
