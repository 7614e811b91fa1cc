"""The rule redis-unreachable."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, found, with_objects
from support.diagnosis.healthy_release import REDIS, RF, redis_pod, with_answer
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


def test_a_redis_that_has_just_restarted_is_not_reported() -> None:
    started = (NOW - timedelta(seconds=12)).isoformat()
    restarted = redis_pod(state={"running": {"startedAt": started}}, restarts=1)
    silent = with_answer("redis-info", REDIS, "Could not connect to Redis at 127.0.0.1:6379")
    assert not found(unreachable.RULE, with_objects(silent, restarted))
