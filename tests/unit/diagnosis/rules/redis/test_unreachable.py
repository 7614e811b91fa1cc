"""The rule redis-unreachable."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import REDIS, RF, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import unreachable

CASES: Cases = {
    "a Redis that hangs": (
        str(RF),
        with_answer("redis-info", REDIS, "ended: 124"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(unreachable.RULE, *CASES[case])
