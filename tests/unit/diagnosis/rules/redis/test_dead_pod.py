"""The rule redis-dead-pod-blocks-healing."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import healthy, redis_pod
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import dead_pod
from vrooli.kube.objects import Ref

CASES: Cases = {
    "an evicted pod": (
        "Pod/rfr-vrooli-rf-1",
        with_objects(
            healthy(), redis_pod(Ref("Pod", "rfr-vrooli-rf-1", "dev"), phase="Failed", ready=False)
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(dead_pod.RULE, *CASES[case])
