"""The rule postgres-image-gone."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import PG, database_pod, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import image_withdrawn

GONE = "This container version is no longer available from the Crunchy Data Developer Program"
PULLING = {"waiting": {"reason": "ImagePullBackOff", "message": GONE}}

CASES: Cases = {
    "a withdrawn image": (
        str(PG),
        with_objects(healthy(), database_pod(state=PULLING, ready=False)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(image_withdrawn.RULE, *CASES[case])
