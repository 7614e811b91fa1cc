"""The rule operator-refuses."""

from __future__ import annotations

from typing import Any

import pytest

from support.evidence import (
    with_objects,
)
from support.healthy_release import (
    RF,
    healthy,
)
from support.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.release import operator_refuses


# Each symptom as it was recorded, by the rule that knows it, and the object that it is about.
def redis_volume(size: str) -> dict[str, Any]:
    """The volume of a Redis."""
    labels = {"component": "redis", "name": "vrooli-rf", "part-of": "redis-failover"}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "vrooli-rf-data-rfr-vrooli-rf-0",
            "namespace": "dev",
            "labels": {f"app.kubernetes.io/{key}": value for key, value in labels.items()},
        },
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": "Bound"},
    }


CASES: Cases = {
    "a size that Redis' volume can't have": (
        str(RF),
        with_objects(healthy(), redis_volume("4Ti")),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(operator_refuses.RULE, *CASES[case])
