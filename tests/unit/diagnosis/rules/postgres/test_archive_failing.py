"""The rule postgres-archive-failing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.diagnosis.healthy_release import PG, STATE, with_answer, with_log_line
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import archive_failing

CASES: Cases = {
    "archiving fails": (
        str(PG),
        with_answer(
            "postgres-state",
            PG,
            json.dumps({**STATE, "archiver": {"failed": 3, "last_failed": "01", "failing": True}}),
        ),
    ),
    "archiving fails, and the server can't be asked": (
        str(PG),
        replace(with_log_line("LOG:  archive command failed with exit code 82"), answers=()),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(archive_failing.RULE, *CASES[case])
