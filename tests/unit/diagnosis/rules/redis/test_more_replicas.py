"""The rule redis-more-replicas-than-sentinels."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import RF, with_changed
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import more_replicas

CASES: Cases = {
    "more Redis than Sentinels": (
        str(RF),
        with_changed(
            "RedisFailover", RF.name, lambda body: body["spec"]["redis"].update(replicas=2)
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(more_replicas.RULE, *CASES[case])
