"""The rule postgres-image-missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.diagnosis.evidence import diagnosed, found, happening, with_objects
from support.diagnosis.healthy_release import PG, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.postgres import image_missing
from vrooli.operators import PGO
from vrooli.operators.pgo.names import CLUSTER_LABEL
from vrooli.release.rollout import readiness

EVENT = happening(PG, "MissingRequiredImage", "missing image(s): [crunchy-postgres]")
OTHERS = ("PGBACKREST", "PGBOUNCER")


def operator(*names: str) -> dict[str, Any]:
    """PGO's Deployment with these images."""
    env = [{"name": f"RELATED_IMAGE_{name}", "value": f"r/{name}"} for name in names]
    return {
        "kind": "Deployment",
        "metadata": {"name": "pgo", "namespace": PGO.namespace},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"env": env}]}}},
        "status": {"replicas": 1, "availableReplicas": 1, "updatedReplicas": 1},
    }


def new_cluster(*names: str, events: bool = True) -> Evidence:
    """A release whose PostgresCluster was just created, and the operator's images."""
    base = healthy()
    cluster = next(body for body in base.all("PostgresCluster"))
    body = {**cluster, "metadata": {**cluster["metadata"], "generation": 1}, "status": {}}
    pods = [
        pod for pod in base.all("Pod") if CLUSTER_LABEL not in (pod["metadata"].get("labels") or {})
    ]
    base = replace(base, objects={**base.objects, "Pod": pods})
    base = with_objects(base, body, operator(*names))
    return replace(base, events=[*base.events, EVENT] if events else base.events)


CASES: Cases = {
    "a version without an image": (
        str(PG),
        new_cluster("POSTGRES_16", "POSTGRES_17", *OTHERS),
    ),
    "an event that has expired": (
        str(PG),
        new_cluster("POSTGRES_16", "POSTGRES_17", *OTHERS, events=False),
    ),
    "an operator whose environment is unreadable": (str(PG), new_cluster()),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(image_missing.RULE, *CASES[case])


def test_the_versions_of_the_operator_and_the_event_are_named() -> None:
    _, evidence = CASES["a version without an image"]
    (symptom,) = image_missing.find(evidence)
    assert "no image of PostgreSQL 15" in symptom.message
    assert "postgresVersion to 16 or 17" in symptom.remediation
    assert any("missing image(s): [crunchy-postgres]" in line for line in symptom.evidence)


def test_another_part_is_named_with_its_value() -> None:
    (symptom,) = image_missing.find(new_cluster("POSTGRES_15", "PGBACKREST"))
    assert "PGBOUNCER" in symptom.message
    assert symptom.remediation.startswith("Set pgoPostgresql.pgBouncer.image")


@pytest.mark.parametrize(
    "evidence",
    [
        healthy(),
        new_cluster("POSTGRES_15", *OTHERS),
        with_objects(healthy(), operator("POSTGRES_15", *OTHERS)),
    ],
    ids=["healthy", "an event of before", "all images"],
)
def test_a_cluster_with_all_images_is_not_reported(evidence: Evidence) -> None:
    assert found(image_missing.RULE, evidence) == []


def test_a_cluster_that_is_shut_down_is_reconciled_without_an_image() -> None:
    evidence = new_cluster("POSTGRES_17", *OTHERS)
    body = next(iter(evidence.all("PostgresCluster")))
    stopped = {**body, "spec": {**body["spec"], "shutdown": True}}
    assert found(image_missing.RULE, with_objects(evidence, stopped)) == []


def test_it_is_the_root_cause_of_a_release_that_does_not_start() -> None:
    _, evidence = CASES["a version without an image"]
    diagnosis = diagnosed(evidence)
    assert "postgres-image-missing" in [cause.finding.rule_id for cause in diagnosis.causes]


def test_status_names_the_event_instead_of_an_unobserved_change() -> None:
    _, evidence = CASES["a version without an image"]
    item = next(one for one in evidence.manifests if one.kind == "PostgresCluster")
    reason = readiness.unready_reason(item, evidence)
    assert reason is not None
    assert "MissingRequiredImage" in reason
    assert "missing image(s): [crunchy-postgres]" in reason
