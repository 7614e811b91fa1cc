"""The rule vso-secret-missing-in-vault."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import OF_REDIS, denied_secret
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import secret_missing

CASES: Cases = {
    "a deleted secret": (
        str(OF_REDIS),
        denied_secret(OF_REDIS, 404, version=2),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(secret_missing.RULE, *CASES[case])
