"""The rule postgres-disk-full."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import DF, LEADER, PG, with_answer, with_log_line
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import disk_full

CASES: Cases = {
    "a full volume": (
        str(PG),
        with_answer("postgres-disk", LEADER, DF.format(1000, 10, 99)),
    ),
    "a full volume in the log": (
        str(PG),
        with_log_line("PANIC:  could not write to file: No space left on device"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(disk_full.RULE, *CASES[case])
