"""The rule job-failed."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import diagnosed, evidence, found, pod
from support.objects.workloads import the_one
from vrooli.diagnosis.rules.workloads import job_failed


def job(name: str, kind: str, *, owner: str = "", born: str = "10:00") -> dict[str, Any]:
    """A Job that has ended."""
    metadata = {
        "name": name,
        "namespace": "dev",
        "creationTimestamp": f"2026-06-01T{born}:00+00:00",
        "ownerReferences": [{"kind": "CronJob", "name": owner}] if owner else [],
    }
    said = {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}
    return {"kind": "Job", "metadata": metadata, "spec": {}, "status": {"conditions": [said]}}


def test_a_failed_job_is_told_until_a_later_one_has_succeeded() -> None:
    failed = job("backup-1", "Failed", owner="backup")
    finding = the_one(evidence(failed))
    assert (finding.rule_id, finding.resource) == ("job-failed", "Job/backup-1")
    assert finding.command == "kubectl create job backup-1-again --from=cronjob/backup -n dev"
    later = job("backup-2", "Complete", owner="backup", born="11:00")
    assert not diagnosed(evidence(failed, later)).causes


def test_a_failed_hook_is_told() -> None:
    hook = pod("migrate", phase="Failed", ready=False)
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    assert found(job_failed.RULE, evidence(hook)) == ["Pod/migrate"]


def test_the_pod_of_a_failed_helm_test_is_no_finding() -> None:
    hook = pod("vrooli-dev-server-test", phase="Failed", ready=False)
    hook["metadata"]["annotations"] = {"helm.sh/hook": "test"}
    assert found(job_failed.RULE, evidence(hook)) == []
