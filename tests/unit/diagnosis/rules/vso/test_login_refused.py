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


def test_the_audience_of_the_login_is_to_be_compared() -> None:
    (symptom,) = login_refused.RULE.find(refused_login("permission denied", mounted=True))
    assert "the role has the audience vault (`vault read auth/kubernetes/role/" in (
        symptom.remediation
    )
