"""The rule vso-namespace-refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import happening
from support.diagnosis.healthy_release import AUTH, OF_REDIS, healthy, refused_login
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import namespace_refused

CASES: Cases = {
    "a foreign namespace": (
        str(AUTH),
        refused_login("namespace not authorized"),
    ),
    "a refusal that only the operator tells of": (
        str(AUTH),
        replace(
            healthy(),
            answers=(),
            events=(
                happening(
                    OF_REDIS,
                    "VaultClientConfigError",
                    "Failed to get Vault auth login: Error making API request. Code: 403. Errors: "
                    "* namespace not authorized",
                    ago_s=5,
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(namespace_refused.RULE, *CASES[case])
