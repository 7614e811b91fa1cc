"""The rule vso-role-missing."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import AUTH, refused_login
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import role_missing

CASES: Cases = {
    "an unknown role": (
        str(AUTH),
        refused_login('invalid role name "vrooli-vso-sync-role"', 400),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(role_missing.RULE, *CASES[case])
