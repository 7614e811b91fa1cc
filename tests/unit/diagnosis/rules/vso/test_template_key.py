"""The rule vso-template-key-missing."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import OF_REDIS, as_json, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import template_key

CASES: Cases = {
    "a template of an unknown key": (
        str(OF_REDIS),
        with_answer("vault-read", OF_REDIS, as_json(status=200, keys=["OTHER"])),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(template_key.RULE, *CASES[case])
