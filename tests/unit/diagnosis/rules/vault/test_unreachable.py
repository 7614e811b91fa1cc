"""The rule vault-unreachable."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import AUTH, VAULT, spec, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vault import unreachable

CASES: Cases = {
    "Vault has no pod": (
        "Service/vault",
        with_answer("vault-health", VAULT, "it has no running pod", ok=False),
    ),
    "Vault's address names no Service": (
        "VaultConnection/vrooli-dev-vault",
        with_objects(
            spec("VaultConnection", AUTH.name, address="http://vualt.vault.svc:8200"),
            {"kind": "Service", "metadata": {"name": "other", "namespace": "vault"}, "spec": {}},
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(unreachable.RULE, *CASES[case])
