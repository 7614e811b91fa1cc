"""The rule vso-crd-missing."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    without,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import crd_missing

CASES: Cases = {
    "no VaultStaticSecret": (
        "CustomResourceDefinition/vaultstaticsecrets.secrets.hashicorp.com",
        without("VaultStaticSecret"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(crd_missing.RULE, *CASES[case])
