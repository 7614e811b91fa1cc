"""The rule postgres-storage-class."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import with_objects
from support.diagnosis.healthy_release import PG, PGO, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.cluster import volume_pending
from vrooli.diagnosis.rules.postgres import storage_class

CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "dev", "labels": {f"{PGO}/cluster": PG.name}},
    "spec": {"storageClassName": "gold"},
    "status": {"phase": "Pending"},
}

CASES: Cases = {
    "an unknown storage class": (
        "PersistentVolumeClaim/data",
        with_objects(healthy(), CLAIM),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(storage_class.RULE, *CASES[case])


def test_a_class_that_no_volume_of_postgres_can_have_is_told_once() -> None:
    _, seen = CASES["an unknown storage class"]
    assert not list(volume_pending.RULE.find(seen))
