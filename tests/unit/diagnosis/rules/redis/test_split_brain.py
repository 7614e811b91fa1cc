"""The rule redis-split-brain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import RF, healthy, redis_pod
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.rules.redis import split_brain
from vrooli.kube.objects import Ref

OTHER = redis_pod(Ref("Pod", "rfr-vrooli-rf-1", "dev"))


TWO_MASTERS = replace(
    with_objects(healthy(), OTHER),
    answers=(
        *healthy().answers,
        Answer("redis-info", Ref("Pod", "rfr-vrooli-rf-1", "dev"), "role:master"),
    ),
)

CASES: Cases = {
    "two masters": (
        str(RF),
        TWO_MASTERS,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(split_brain.RULE, *CASES[case])
