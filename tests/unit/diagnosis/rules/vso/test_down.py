"""The rule vso-down."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    OPERATOR_OFF,
    spec,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import down

CASES: Cases = {
    "the Vault Secrets Operator is scaled to 0": (
        "Deployment/vault-secrets-operator-controller-manager",
        spec("Deployment", "vault-secrets-operator-controller-manager", **OPERATOR_OFF),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(down.RULE, *CASES[case])
