"""The rule redis-operator-down."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    OPERATOR_OFF,
    spec,
    without,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import operator_down

CASES: Cases = {
    "the Redis operator is scaled to 0": (
        "Deployment/spotahome-redis-operator",
        spec("Deployment", "spotahome-redis-operator", **OPERATOR_OFF),
    ),
    "the Redis operator isn't installed": (
        "Namespace/redis-operator",
        without("Deployment", "spotahome-redis-operator"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(operator_down.RULE, *CASES[case])
