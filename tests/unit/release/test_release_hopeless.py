"""Which pods waiting won't mend, and which it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vrooli.release.hopeless import troubles

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pod(
    name: str = "server-1", *, version: str = "1", age_s: int = 60, **status: Any
) -> dict[str, Any]:
    """A pod of a Deployment's version."""
    made = (NOW - timedelta(seconds=age_s)).isoformat()
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "creationTimestamp": made,
            "labels": {"pod-template-hash": version},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"server-{version}"}],
        },
        "status": status,
    }


def waiting(reason: str, restarts: int = 0) -> dict[str, Any]:
    """A container's status."""
    return {
        "name": "server",
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": "no such image"}},
        "lastState": {"terminated": {"exitCode": 3}},
    }


def unscheduled(since_s: int) -> list[dict[str, Any]]:
    """A pod's conditions when no node takes it."""
    return [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "Insufficient cpu",
            "lastTransitionTime": (NOW - timedelta(seconds=since_s)).isoformat(),
        }
    ]


@pytest.mark.parametrize("part", ["containerStatuses", "initContainerStatuses"])
def test_an_image_that_cannot_be_pulled_is_hopeless(part: str) -> None:
    (found,) = troubles([pod(**{part: [waiting("ImagePullBackOff")]})], NOW)
    assert str(found) == "server-1/server: ImagePullBackOff (no such image)"


@pytest.mark.parametrize(
    "status",
    [
        {"containerStatuses": [waiting("ContainerCreating")]},
        {"containerStatuses": [waiting("CreateContainerConfigError")]},
        {"containerStatuses": [waiting("CrashLoopBackOff", restarts=1)]},
        {"conditions": unscheduled(since_s=5)},
        {},
    ],
)
def test_what_may_still_become_better_is_not_hopeless(status: dict[str, Any]) -> None:
    assert troubles([pod(**status)], NOW) == []


def test_the_third_crash_is_hopeless_and_says_how_it_ended() -> None:
    (found,) = troubles([pod(containerStatuses=[waiting("CrashLoopBackOff", restarts=2)])], NOW)
    assert found.crashed
    assert found.message == "ended 3 times, last with status 3"


def test_a_pod_that_no_node_takes_for_long_is_hopeless() -> None:
    (found,) = troubles([pod(conditions=unscheduled(since_s=61))], NOW)
    assert str(found) == "server-1: Unschedulable (Insufficient cpu)"


def test_the_version_that_is_being_replaced_does_not_count() -> None:
    old = pod("old", version="1", containerStatuses=[waiting("ImagePullBackOff")])
    new = pod("new", version="2", age_s=1)
    assert troubles([old, new], NOW) == []
    assert len(troubles([old], NOW)) == 1


def test_a_pod_that_goes_away_does_not_count() -> None:
    going = pod(containerStatuses=[waiting("ImagePullBackOff")])
    going["metadata"]["deletionTimestamp"] = NOW.isoformat()
    assert troubles([going], NOW) == []
