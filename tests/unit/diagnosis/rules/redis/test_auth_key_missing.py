"""The rule redis-auth-key-missing."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import with_facts
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.redis import auth_key_missing

CASES: Cases = {
    "no key password": (
        "Secret/vrooli-redis-creds",
        with_facts("vrooli-redis-creds", SecretFacts("Opaque", {"REDIS_PASSWORD": 9})),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(auth_key_missing.RULE, *CASES[case])
