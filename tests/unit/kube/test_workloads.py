"""When a workload is ready, and what is said when it isn't."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.kube.workloads import deployment_lack, pod_troubles, stateful_set_lack

READY = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def deployment(**status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": 3}, "spec": {"replicas": 1}, "status": {**READY, **status}}


def test_deployment_with_its_pods_available_lacks_nothing() -> None:
    assert deployment_lack(deployment()) is None


@pytest.mark.parametrize(
    ("status", "lack"),
    [
        ({"observedGeneration": 2}, "its last change isn't observed yet"),
        ({"updatedReplicas": 0}, "0 of 1 pods are of the current version"),
        ({"replicas": 2}, "1 of 1 pods are of the current version"),
        ({"availableReplicas": 0}, "0 of 1 pods are available"),
    ],
)
def test_deployment_lacks(status: dict[str, int], lack: str) -> None:
    assert deployment_lack(deployment(**status)) == lack


def test_deployment_that_is_not_there_lacks_everything() -> None:
    assert deployment_lack(None) == "its Deployment doesn't exist"


@pytest.mark.parametrize(
    ("status", "lack"),
    [
        ({"observedGeneration": 1}, "its last change isn't observed yet"),
        (
            {"observedGeneration": 2, "currentRevision": "a", "updateRevision": "b"},
            "pods are being replaced",
        ),
        ({"observedGeneration": 2}, "0 of 1 pods are ready"),
        ({"observedGeneration": 2, "readyReplicas": 1}, None),
    ],
)
def test_stateful_set_lacks(status: dict[str, object], lack: str | None) -> None:
    assert (
        stateful_set_lack(
            {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}
        )
        == lack
    )


def test_stateful_set_that_is_not_there_lacks_everything() -> None:
    assert stateful_set_lack(None) == "its StatefulSet doesn't exist"


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "pgo-1"}, "status": status}


def test_missing_image_is_told_with_the_kubelets_words() -> None:
    waiting = {"reason": "ErrImageNeverPull", "message": "image is not present"}
    container = {"name": "operator", "state": {"waiting": waiting}}
    assert pod_troubles([pod(containerStatuses=[container])]) == [
        "pgo-1/operator: ErrImageNeverPull: image is not present"
    ]


def test_pod_without_a_node_is_told_with_the_schedulers_words() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "Insufficient memory"}
    assert pod_troubles([pod(conditions=[condition])]) == ["pgo-1: Insufficient memory"]


def test_running_and_completed_containers_are_no_trouble() -> None:
    states = [{"running": {}}, {"terminated": {"reason": "Completed"}}]
    containers = [{"name": "operator", "state": state} for state in states]
    assert pod_troubles([pod(containerStatuses=containers)]) == []
