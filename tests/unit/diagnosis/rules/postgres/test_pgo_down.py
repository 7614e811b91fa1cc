"""The rule pgo-down."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    OPERATOR_OFF,
    spec,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import pgo_down

CASES: Cases = {
    "PGO is scaled to 0": (
        "Deployment/pgo",
        spec("Deployment", "pgo", **OPERATOR_OFF),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(pgo_down.RULE, *CASES[case])
