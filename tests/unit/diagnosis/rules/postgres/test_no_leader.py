"""The rule postgres-no-leader."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
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
