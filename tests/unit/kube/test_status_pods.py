"""Whether pods are ready, and why not; the sources read that in one place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import vrooli
from vrooli.kube.status import format_pod_problems, is_pod_ready, pod_status

SOURCES = Path(vrooli.__file__).parent


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "pgo-1", "uid": "u"}, "status": status}


@pytest.mark.parametrize(
    ("status", "ready"), [("True", True), ("False", False), ("Unknown", False)]
)
def test_pod_is_ready_when_its_ready_condition_is_true(status: str, ready: bool) -> None:
    body = pod(conditions=[{"type": "Ready", "status": status}])
    assert is_pod_ready(body) is ready
    assert pod_status(body).is_ready is ready


def test_pod_without_a_status_is_not_ready() -> None:
    assert not is_pod_ready({"metadata": {"name": "new"}})
    assert pod_status({"metadata": {"name": "new"}}).containers == ()


def test_pod_status_holds_what_the_kubelet_reports() -> None:
    ended = {"exitCode": 3, "reason": "Error", "finishedAt": "2026-01-02T03:04:05Z"}
    looping = {
        "name": "server",
        "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": ended},
    }
    first = {"name": "init", "ready": True, "state": {"terminated": {"exitCode": 0}}}
    running = {"name": "proxy", "ready": True, "state": {"running": {}}}
    status = pod_status(
        pod(initContainerStatuses=[first], containerStatuses=[looping, running], phase="Running")
    )
    assert [item.name for item in status.containers] == ["init", "server", "proxy"]
    server = status.container("server")
    assert server is not None
    assert (server.restarts, server.waiting_reason) == (2, "CrashLoopBackOff")
    assert server.latest_end is not None
    assert server.latest_end.exit_code == 3
    assert server.latest_end.finished_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [item.is_running for item in status.main_containers] == [False, True]
    assert status.container("other") is None


def test_missing_image_is_reported_in_the_kubelets_words() -> None:
    waiting = {"reason": "ErrImageNeverPull", "message": "image is not present"}
    container = {"name": "operator", "state": {"waiting": waiting}}
    assert format_pod_problems([pod(containerStatuses=[container])]) == [
        "pgo-1/operator: ErrImageNeverPull: image is not present"
    ]


def test_pod_without_a_node_is_reported_in_the_schedulers_words() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "Insufficient memory"}
    body = pod(conditions=[condition])
    assert pod_status(body).is_unscheduled
    assert format_pod_problems([body]) == ["pgo-1: Insufficient memory"]


def test_running_and_completed_containers_are_no_problem() -> None:
    states = [{"running": {}}, {"terminated": {"reason": "Completed"}}]
    containers = [{"name": "operator", "state": state} for state in states]
    assert format_pod_problems([pod(containerStatuses=containers)]) == []


# What only the kubelet, the scheduler and the workloads' controllers write.
RAW_READS = re.compile(
    r'"(?:containerStatuses|initContainerStatuses|lastState|restartCount|PodScheduled)"'
    r'|"(?:availableReplicas|updateRevision|currentRevision|numberReady)"'
    r'|== "Ready"|_condition\(pod, "Ready"\)'
)


def test_readiness_of_pods_and_workloads_is_read_in_one_place() -> None:
    places = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        if RAW_READS.search(path.read_text())
    }
    assert places == {"kube/status/pods.py", "kube/status/workloads.py"}
