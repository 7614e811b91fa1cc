"""The rule postgres-no-leader."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, found, with_objects
from support.diagnosis.healthy_release import PG, database_pod, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import no_leader

CASES: Cases = {
    "no leader": (
        str(PG),
        with_objects(healthy(), database_pod(ready=False)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(no_leader.RULE, *CASES[case])


def test_an_instance_whose_process_was_started_again_is_given_that_time() -> None:
    started = (NOW - timedelta(seconds=30)).isoformat()
    restarted = database_pod(ready=False, state={"running": {"startedAt": started}})
    assert found(no_leader.RULE, with_objects(healthy(), restarted)) == []
