"""The rules redis-operator-down, pgo-down and vso-down."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import OPERATOR_OFF, spec, without
from support.diagnosis.rule_cases import assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.operators import down

RULES = {rule.rule_id: rule for rule in down.RULES}
VSO = "vault-secrets-operator-controller-manager"


@pytest.mark.parametrize(
    ("rule_id", "resource", "evidence"),
    [
        (
            "redis-operator-down",
            "Deployment/spotahome-redis-operator",
            spec("Deployment", "spotahome-redis-operator", **OPERATOR_OFF),
        ),
        (
            "redis-operator-down",
            "Namespace/redis-operator",
            without("Deployment", "spotahome-redis-operator"),
        ),
        ("pgo-down", "Deployment/pgo", spec("Deployment", "pgo", **OPERATOR_OFF)),
        ("vso-down", f"Deployment/{VSO}", spec("Deployment", VSO, **OPERATOR_OFF)),
    ],
    ids=["Redis is scaled to 0", "Redis is not installed", "PGO is scaled to 0", "VSO is too"],
)
def test_a_symptom_names_its_resource_and_remediation(
    rule_id: str, resource: str, evidence: Evidence
) -> None:
    assert_reported(RULES[rule_id], resource, evidence)
