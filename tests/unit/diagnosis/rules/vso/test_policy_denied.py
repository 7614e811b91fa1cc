"""The rule vso-policy-denied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.healthy_release import OF_REDIS, PULL, as_json, denied_secret
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.rules.vso import policy_denied

CASES: Cases = {
    "a policy without the path": (
        str(OF_REDIS),
        denied_secret(OF_REDIS, 403),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(policy_denied.RULE, *CASES[case])


def test_several_secrets_without_a_policy_are_one_finding() -> None:
    seen = denied_secret(OF_REDIS, 403)
    other = Answer("vault-read", PULL, as_json(status=403, errors=["permission denied"]))
    answers = [item for item in seen.answers if item.about != PULL]
    (symptom,) = policy_denied.RULE.find(replace(seen, answers=(*answers, other)))
    assert set(symptom.affects) | {symptom.resource} == {OF_REDIS, PULL}
