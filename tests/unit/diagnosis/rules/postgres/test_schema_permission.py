"""The rule postgres-schema-permission."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import PG, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import schema_permission
from vrooli.kube.objects import Ref

CASES: Cases = {
    "no schema to write in": (
        str(PG),
        with_answer("postgres-rights", Ref("vrooli@", "vrooli", "dev"), '{"may": false}'),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(schema_permission.RULE, *CASES[case])
