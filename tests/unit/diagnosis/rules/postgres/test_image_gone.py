"""The rule postgres-image-gone."""

from __future__ import annotations

import pytest

from support.evidence import (
    with_objects,
)
from support.healthy_release import (
    PG,
    database_pod,
    healthy,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.postgres import image_gone

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
    assert_reported(image_gone.RULE, *CASES[case])
