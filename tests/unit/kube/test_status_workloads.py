"""How far workloads are, and why one is not ready."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.kube.status import (
    claim_phase,
    daemon_set_unready_reason,
    deployment_unready_reason,
    is_claim_bound,
    job_status,
    stateful_set_unready_reason,
    workload_status,
)

READY = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"generation": 3},
        "spec": {"replicas": 1},
        "status": {**READY, **status},
    }


def test_deployment_with_available_pods_is_ready() -> None:
    assert deployment_unready_reason(deployment()) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 2}, "its last change isn't observed yet"),
        ({"updatedReplicas": 0}, "0 of 1 pods are of the current version"),
        ({"replicas": 2}, "1 of 1 pods are of the current version"),
        ({"availableReplicas": 0}, "0 of 1 pods are available"),
    ],
)
def test_deployment_says_why_it_is_not_ready(status: dict[str, int], reason: str) -> None:
    assert deployment_unready_reason(deployment(**status)) == reason


def test_deployment_whose_pods_are_refused_quotes_the_api_server() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded\nquota"}
    refused = deployment(updatedReplicas=0, conditions=[failure])
    assert workload_status(refused).refusal == "exceeded quota"
    assert str(deployment_unready_reason(refused)).endswith("current version: exceeded quota")


def test_deployment_without_desired_pods_is_not_ready() -> None:
    stopped = deployment(replicas=0, updatedReplicas=0, availableReplicas=0)
    stopped["spec"]["replicas"] = 0
    assert deployment_unready_reason(stopped) == "it is scaled to 0 pods"


def test_missing_deployment_is_not_ready() -> None:
    assert deployment_unready_reason(None) == "its Deployment doesn't exist"


def stateful_set(strategy: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {
        "kind": "StatefulSet",
        "metadata": {"generation": 2},
        "spec": {"replicas": 2, "updateStrategy": strategy or {"type": "RollingUpdate"}},
        "status": {"observedGeneration": 2, **status},
    }


SAME = {"currentRevision": "a", "updateRevision": "a"}
CHANGED = {"currentRevision": "a", "updateRevision": "b"}
ALL = {"replicas": 2, "readyReplicas": 2}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1}, "its last change isn't observed yet"),
        ({}, "0 of 2 pods are ready"),
        (ALL, None),
        ({**ALL, **SAME, "updatedReplicas": 2}, None),
        ({**ALL, **CHANGED, "updatedReplicas": 2}, "pods are being replaced"),
        ({**ALL, **CHANGED}, "pods are being replaced"),
        ({**ALL, **SAME, "updatedReplicas": 1}, "pods are being replaced"),
    ],
)
def test_stateful_set_that_rolls_is_not_ready(status: dict[str, Any], reason: str | None) -> None:
    body = stateful_set(**status)
    assert stateful_set_unready_reason(body) == reason
    assert workload_status(body).is_ready is (reason is None)


def test_stateful_set_that_is_updated_by_hand_does_not_roll() -> None:
    assert stateful_set_unready_reason(stateful_set({"type": "OnDelete"}, **ALL, **CHANGED)) is None


@pytest.mark.parametrize(("updated", "is_rolling"), [(0, True), (1, False)])
def test_stateful_set_rolls_down_to_its_partition(updated: int, is_rolling: bool) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    body = stateful_set(strategy, **ALL, **CHANGED, updatedReplicas=updated)
    assert workload_status(body).is_rolling is is_rolling


def test_missing_stateful_set_is_not_ready() -> None:
    assert stateful_set_unready_reason(None) == "its StatefulSet doesn't exist"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, "no node takes its pods"),
        ({"desiredNumberScheduled": 2, "numberReady": 1}, "1 of 2 pods are ready"),
        (
            {
                "desiredNumberScheduled": 2,
                "currentNumberScheduled": 2,
                "updatedNumberScheduled": 1,
                "numberReady": 2,
            },
            "pods are being replaced",
        ),
        (
            {
                "desiredNumberScheduled": 2,
                "currentNumberScheduled": 2,
                "updatedNumberScheduled": 2,
                "numberReady": 2,
            },
            None,
        ),
    ],
)
def test_daemon_set_says_why_it_is_not_ready(status: dict[str, int], reason: str | None) -> None:
    body = {"kind": "DaemonSet", "metadata": {}, "status": status}
    assert daemon_set_unready_reason(body) == reason


def test_job_is_complete_or_has_given_up_or_runs() -> None:
    def job(kind: str) -> dict[str, Any]:
        condition = {"type": kind, "status": "True", "reason": "BackoffLimitExceeded"}
        return {"kind": "Job", "status": {"conditions": [condition]}}

    assert job_status(job("Complete")).is_complete
    failure = job_status(job("Failed")).failure
    assert failure is not None
    assert failure.reason == "BackoffLimitExceeded"
    assert job_status({"kind": "Job"}).failure is None
    assert not job_status({"kind": "Job"}).is_complete


def test_volume_claim_is_pending_until_it_is_bound() -> None:
    assert claim_phase({}) == "Pending"
    assert not is_claim_bound({"status": {"phase": "Lost"}})
    assert is_claim_bound({"status": {"phase": "Bound"}})
