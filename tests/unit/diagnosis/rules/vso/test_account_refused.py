"""The rule vso-account-refused."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import AUTH, refused_login
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import account_refused

CASES: Cases = {
    "a foreign account": (
        str(AUTH),
        refused_login("service account name not authorized"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(account_refused.RULE, *CASES[case])
