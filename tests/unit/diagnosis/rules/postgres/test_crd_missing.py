"""The rule postgres-crd-missing."""

from __future__ import annotations

import pytest

from support.healthy_release import (
    PGO,
    without,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import crd_missing

CASES: Cases = {
    "no PostgresCluster": (
        f"CustomResourceDefinition/postgresclusters.{PGO}",
        without("PostgresCluster"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(crd_missing.RULE, *CASES[case])
