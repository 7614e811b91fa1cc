"""The rule vso-restart-loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, happening
from support.diagnosis.healthy_release import OF_REDIS, with_events
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import restart_loop

RESTARTS = replace(
    happening(OF_REDIS, "RolloutRestartTriggered", "Rollout restart triggered", ago_s=5), count=6
)

CASES: Cases = {
    "a restart at every refresh": (
        str(OF_REDIS),
        with_events(RESTARTS),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(restart_loop.RULE, *CASES[case])


def test_many_rotations_are_no_loop_of_restarts() -> None:
    over_an_hour = replace(RESTARTS, first=NOW - timedelta(hours=1))
    assert not list(restart_loop.RULE.find(with_events(over_an_hour)))
    over_a_minute = replace(RESTARTS, first=NOW - timedelta(minutes=1))
    assert list(restart_loop.RULE.find(with_events(over_a_minute)))
