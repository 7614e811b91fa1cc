"""The rules helm-pending, deploy-lease-stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.diagnosis.evidence import NOW, diagnosed, evidence
from support.objects.cluster import names
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.release import helm_state
from vrooli.release.records.storage import Revision


def lease(renewed: timedelta) -> dict[str, Any]:
    """The Lease of a deploy."""
    spec = {
        "holderIdentity": "ann@host",
        "leaseDurationSeconds": 30,
        "renewTime": (NOW - renewed).isoformat(),
    }
    metadata = {"name": "vrooli-dev-deploy", "namespace": "dev"}
    return {"kind": "Lease", "metadata": metadata, "spec": spec}


def pending(seen: Evidence, minutes: float = 1.0) -> Evidence:
    """The same, in the middle of an upgrade since then."""
    began = NOW - timedelta(minutes=minutes)
    return replace(seen, helm=Revision(4, "pending-upgrade", deployed_at=began))


def test_what_a_killed_deploy_leaves_is_one_cause() -> None:
    (cause,) = diagnosed(pending(evidence(lease(timedelta(minutes=1))))).causes
    assert cause.finding.rule_id == "helm-pending"
    assert [item.rule_id for item in cause.consequences] == ["deploy-lease-stale"]
    assert cause.finding.command == "kubectl delete secret/sh.helm.release.v1.vrooli-dev.v4 -n dev"


def test_a_deploy_that_is_at_work_is_no_finding() -> None:
    assert not names(pending(evidence(lease(timedelta(seconds=5)))))
    assert not names(pending(evidence()))


def test_a_helm_that_has_worked_for_longer_than_it_does_is_told() -> None:
    assert names(pending(evidence(), minutes=6)) == ["helm-pending"]


def test_a_lease_without_a_sign_of_life_is_told_and_deleted() -> None:
    (symptom,) = helm_state.LEASE_STALE.find(evidence(lease(timedelta(minutes=1))))
    assert "ann@host" in symptom.message
    assert symptom.command == "kubectl delete lease/vrooli-dev-deploy -n dev"
