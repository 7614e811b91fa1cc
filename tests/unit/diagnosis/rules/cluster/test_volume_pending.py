"""The rule volume-pending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, START, diagnosed, evidence, happening
from support.objects.cluster import names
from vrooli.diagnosis.rules.cluster import volume_pending
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref


def claim(cls: str | None, **metadata: Any) -> dict[str, Any]:
    """A claim that waits."""
    head = {"name": "data", "namespace": "dev", "creationTimestamp": START, **metadata}
    spec = {"storageClassName": cls} if cls is not None else {}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": head,
        "spec": spec,
        "status": {"phase": "Pending"},
    }


LOCAL = {
    "kind": "StorageClass",
    "metadata": {"name": "local-path", "annotations": {}},
    "provisioner": "rancher.io/local-path",
}


KEEPER: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {
        "name": "local-path-provisioner",
        "namespace": "kube-system",
        "creationTimestamp": START,
    },
    "spec": {"replicas": 0},
}


def test_a_claim_of_a_class_that_does_not_exist_is_told() -> None:
    (symptom,) = volume_pending.RULE.find(evidence(claim("fast"), LOCAL))
    assert "storage class fast does not exist (available: local-path)" in symptom.message


def test_a_claim_without_a_class_needs_a_default_one() -> None:
    (symptom,) = volume_pending.RULE.find(evidence(claim(None), LOCAL))
    assert symptom.command.startswith("kubectl annotate storageclass local-path ")


def test_a_provisioner_that_is_down_is_the_cause_of_claims_that_wait() -> None:
    (cause,) = diagnosed(evidence(claim("local-path"), LOCAL, KEEPER)).causes
    assert cause.finding.resource == "Deployment/local-path-provisioner"


def test_a_claim_that_waits_for_its_first_pod_is_well() -> None:
    keeper = {**KEEPER, "spec": {"replicas": 1}, "status": {"availableReplicas": 1}}
    event = happening(Ref("PersistentVolumeClaim", "data", "dev"), "WaitForFirstConsumer", "waits")
    assert not names(evidence(claim("local-path"), LOCAL, keeper, events=[event]))


def test_a_provisioner_in_its_own_namespace_is_seen_down() -> None:
    place = {**KEEPER["metadata"], "namespace": "local-path-storage"}
    (cause,) = diagnosed(evidence(claim("local-path"), LOCAL, {**KEEPER, "metadata": place})).causes
    assert cause.finding.resource == "Deployment/local-path-provisioner"


@pytest.mark.parametrize(("since_s", "is_told"), [(30, False), (90, True)])
def test_a_claim_that_nobody_makes_a_volume_for_is_told(since_s: float, is_told: bool) -> None:
    words = "Waiting for a volume to be created either by the external provisioner 'x.io/y'"
    about, first = Ref("PersistentVolumeClaim", "data", "dev"), NOW - timedelta(seconds=since_s)
    event = Event(about, "Normal", "ExternalProvisioning", words, last=NOW, first=first)
    seen = evidence(claim("local-path"), LOCAL, events=[event])
    assert [item.message for item in volume_pending.RULE.find(seen)] == (
        [f"no volume is provisioned: {words}"] if is_told else []
    )
