"""The rule redis-crd-missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.evidence import (
    found,
)
from support.healthy_release import (
    without,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import crd_missing

CASES: Cases = {
    "no RedisFailover": (
        "CustomResourceDefinition/redisfailovers.databases.spotahome.com",
        without("RedisFailover"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(crd_missing.RULE, *CASES[case])


def test_what_could_not_be_looked_at_is_not_taken_for_missing() -> None:
    seen = replace(without("RedisFailover"), hidden={("RedisFailover", "")})
    assert found(crd_missing.RULE, seen) == []
