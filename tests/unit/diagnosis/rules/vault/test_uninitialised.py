"""The rule vault-uninitialised."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import VAULT, as_json, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vault import uninitialised

CASES: Cases = {
    "Vault holds nothing": (
        "Service/vault",
        with_answer("vault-health", VAULT, as_json(initialized=False, sealed=True)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(uninitialised.RULE, *CASES[case])
