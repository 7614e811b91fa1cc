"""The rule redis-wrong-password."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    REDIS,
    RF,
    with_answer,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import wrong_password

CASES: Cases = {
    "a refused password": (
        str(RF),
        with_answer(
            "redis-info",
            REDIS,
            "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\nNOAUTH",
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(wrong_password.RULE, *CASES[case])
