"""The rule crd-too-long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.healthy_release import healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.cluster import crd_too_long
from vrooli.release.records.storage import Revision

CASES: Cases = {
    "a definition is too long": (
        "CustomResourceDefinition/redisfailovers.databases.spotahome.com",
        replace(
            healthy(),
            helm=Revision(
                1,
                "failed",
                description="metadata.annotations: Too long: must have at most 262144 bytes",
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(crd_too_long.RULE, *CASES[case])
