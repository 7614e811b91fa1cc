"""The rule redis-sentinels-joined."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import RF, SENTINEL, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import sentinels_joined

CASES: Cases = {
    "a Sentinel too many": (
        str(RF),
        with_answer(
            "redis-info", SENTINEL, "master0:name=mymaster,address=10.0.0.2:6379,sentinels=4"
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(sentinels_joined.RULE, *CASES[case])
