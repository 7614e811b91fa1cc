"""The rule postgres-ssl-off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import found
from support.diagnosis.healthy_release import LEADER, healthy, with_log_line
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import LogSource
from vrooli.diagnosis.rules.postgres import ssl_off

NOT_TLS = (
    'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "vrooli", database "vrooli", '
    "no encryption"
)

CASES: Cases = {
    "a client without TLS": (
        f"Pod/{LEADER.name}",
        with_log_line(NOT_TLS),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(ssl_off.RULE, *CASES[case])


def test_an_older_line_of_a_log_is_of_the_past() -> None:
    old = {LogSource("dev", LEADER.name, "database"): [f"2026-06-01 11:00:00 UTC {NOT_TLS}"]}
    assert found(ssl_off.RULE, replace(healthy(), logs=old)) == []
