"""The rule postgres-extension-missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import found
from support.diagnosis.healthy_release import LEADER, healthy, with_log_line
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import LogSource
from vrooli.diagnosis.rules.postgres import extension_missing

NO_FILES = 'ERROR:  extension "vector" is not available'
NO_TYPE = 'ERROR:  type "halfvec" does not exist at character 39'
CLUSTER = "PostgresCluster/vrooli-pg"

CASES: Cases = {
    "an image without the extension": (CLUSTER, with_log_line(NO_FILES)),
    "a database without the extension": (CLUSTER, with_log_line(NO_TYPE)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(extension_missing.RULE, *CASES[case])


def test_the_remedy_depends_on_what_is_missing() -> None:
    (image,) = extension_missing.find(with_log_line(NO_FILES))
    (database,) = extension_missing.find(with_log_line(NO_TYPE))
    assert "pgoPostgresql.image" in image.remediation
    assert 'CREATE EXTENSION "vector"' in database.remediation


@pytest.mark.parametrize(
    "line", ['ERROR:  type "invoice" does not exist', "LOG:  extension vector is available"]
)
def test_other_errors_are_not_reported(line: str) -> None:
    assert found(extension_missing.RULE, with_log_line(line)) == []


def test_an_older_line_of_a_log_is_of_the_past() -> None:
    old = {LogSource("dev", LEADER.name, "database"): [f"2026-06-01 11:00:00 UTC {NO_FILES}"]}
    assert found(extension_missing.RULE, replace(healthy(), logs=old)) == []
