"""The rule vso-not-owner."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import PULL, healthy, secret_object
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import not_owner

CASES: Cases = {
    "a destination of somebody else": (
        str(PULL),
        with_objects(healthy(), secret_object("vrooli-dockerhub-pull-secret")),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(not_owner.RULE, *CASES[case])
