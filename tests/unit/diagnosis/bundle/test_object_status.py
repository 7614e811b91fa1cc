"""An object's state is told in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.evidence import pod
from vrooli.diagnosis.bundle import object_status
from vrooli.diagnosis.bundle.object_status import State

WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


def body(kind: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x"}, **parts}


def condition(kind: str, status: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (pod("a"), State("Running, 1/1 ready", is_healthy=True)),
        (
            pod("a", ready=False, state=WAITING, restarts=4),
            State("Running, 0/1 ready, main: CrashLoopBackOff, 4 restarts", is_healthy=False),
        ),
        (pod("a", phase="Succeeded", ready=False), State("Succeeded", is_healthy=True)),
        (
            body("Deployment", spec={"replicas": 2}, status={"readyReplicas": 1}),
            State("1/2 ready", is_healthy=False),
        ),
        (
            body("PersistentVolumeClaim", status={"phase": "Pending"}),
            State("Pending", is_healthy=False),
        ),
        (body("Node", status=condition("Ready", "True")), State("Ready", is_healthy=True)),
        (
            body("Node", status=condition("DiskPressure", "True", reason="Full")),
            State("DiskPressure True (Full)", is_healthy=False),
        ),
        (body("ConfigMap"), State("", is_healthy=None)),
    ],
)
def test_the_state_of(found: dict[str, Any], state: State) -> None:
    assert object_status.of(found) == state


def test_a_pod_that_finds_no_node_says_why() -> None:
    found = pod("a", phase="Pending", ready=False)
    found["status"] = {
        "phase": "Pending",
        **condition("PodScheduled", "False", reason="Unschedulable", message="no room"),
    }
    assert "PodScheduled False (Unschedulable: no room)" in object_status.of(found).words
