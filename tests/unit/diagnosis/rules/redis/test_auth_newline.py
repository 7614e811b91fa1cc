"""The rule redis-auth-newline."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import with_facts
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.redis import auth_newline
from vrooli.secrets import usable

CASES: Cases = {
    "a new line after the password": (
        "Secret/vrooli-redis-creds",
        with_facts(
            "vrooli-redis-creds",
            SecretFacts(
                "Opaque", {"REDIS_PASSWORD": 9, "password": 9}, trimmed=frozenset({"password"})
            ),
        ),
    ),
    "a quote in the password": (
        "Secret/vrooli-redis-creds",
        with_facts(
            "vrooli-redis-creds",
            SecretFacts(
                "Opaque",
                {"REDIS_PASSWORD": 9, "password": 9},
                problems={"REDIS_PASSWORD": usable.problem("REDIS_PASSWORD", "a'hunter2")},
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(auth_newline.RULE, *CASES[case])
