"""The rule vso-login-refused."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import AUTH, refused_login
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import login_refused

CASES: Cases = {
    "another refusal": (
        str(AUTH),
        refused_login("permission denied", mounted=True),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(login_refused.RULE, *CASES[case])
