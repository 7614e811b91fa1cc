"""The rule postgres-too-many-connections."""

from __future__ import annotations

import json

import pytest

from support.diagnosis.healthy_release import PG, STATE, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import connections

CASES: Cases = {
    "no connection left": (
        str(PG),
        with_answer("postgres-state", PG, json.dumps({**STATE, "connections": 97})),
    ),
    "no connection left for a database": (
        str(PG),
        with_answer(
            "postgres-state",
            PG,
            json.dumps({**STATE, "databases": [{"name": "vrooli", "most": 4, "used": 4}]}),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(connections.RULE, *CASES[case])
