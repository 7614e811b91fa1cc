"""The rule vso-policy-path-without-data."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import OF_REDIS, denied_secret
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import policy_path_without_data

CASES: Cases = {
    "a policy without data": (
        str(OF_REDIS),
        denied_secret(OF_REDIS, 403, bare=True),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(policy_path_without_data.RULE, *CASES[case])
