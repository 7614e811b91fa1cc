"""The rule postgres-backup-failed."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.evidence import found, with_objects
from support.diagnosis.healthy_release import PG, PGO, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import backup_failed


def job(name: str, minute: int, **status: Any) -> dict[str, Any]:
    """A backup's Job."""
    labels = {f"{PGO}/cluster": PG.name, f"{PGO}/pgbackrest-backup": "manual"}
    made = f"2026-06-01T11:{minute:02}:00+00:00"
    metadata = {"name": name, "namespace": "dev", "labels": labels, "creationTimestamp": made}
    return {"kind": "Job", "metadata": metadata, "status": status}


FAILED = {"conditions": [{"type": "Failed", "status": "True", "message": "has reached the limit"}]}

CASES: Cases = {
    "a failed backup": (
        "Job/new",
        with_objects(healthy(), job("old", 1, succeeded=1), job("new", 2, **FAILED)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(backup_failed.RULE, *CASES[case])


def test_the_message_of_the_failed_job_is_quoted() -> None:
    (symptom,) = backup_failed.RULE.find(with_objects(healthy(), job("new", 2, **FAILED)))
    assert symptom.message == "the last backup failed: has reached the limit."


def test_a_backup_that_ended_well_ends_the_failed_ones_finding() -> None:
    seen = with_objects(healthy(), job("old", 1, **FAILED), job("new", 2, succeeded=1))
    assert found(backup_failed.RULE, seen) == []
