"""Which pods of databases are restarted, and how long they are not ready."""

from __future__ import annotations

from typing import Any

from vrooli.databases.restarts import Restart, Restarts
from vrooli.kube.objects import Ref
from vrooli.kube.snapshot import Snapshot


def pod(
    name: str,
    uid: str,
    *,
    owner: tuple[str, str] = ("StatefulSet", "rfr"),
    ready: bool = True,
    restarts: int = 0,
    phase: str = "Running",
) -> dict[str, Any]:
    kind, owner_name = owner
    hashed = {"pod-template-hash": "5d"} if kind == "ReplicaSet" else {}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "dev",
            "uid": uid,
            "labels": hashed,
            "ownerReferences": [{"kind": kind, "name": owner_name}],
        },
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "redis", "restartCount": restarts}],
        },
    }


def restarts(*moments: tuple[float, list[dict[str, Any]]]) -> list[Restart]:
    seen = Restarts()
    for now, pods in moments:
        seen.observe(Snapshot.of(pods), now)
    return seen.result(moments[-1][0])


def test_pods_that_stay_are_not_reported() -> None:
    stays = pod("rfr-0", "a", restarts=3)
    assert restarts((0.0, [stays]), (9.0, [stays])) == []


def test_a_pod_that_is_replaced_was_down_until_its_successor_is_ready() -> None:
    other = pod("rfr-1", "b")
    moments = (
        (0.0, [pod("rfr-0", "a"), other]),
        (1.0, [pod("rfr-0", "a", ready=False), other]),
        (2.0, [other]),
        (4.0, [pod("rfr-0", "c", ready=False), other]),
        (7.5, [pod("rfr-0", "c"), other]),
        (9.0, [pod("rfr-0", "c"), other]),
    )
    assert restarts(*moments) == [Restart(Ref("Pod", "rfr-0", "dev"), True, 6.5)]


def test_a_restarted_container_and_a_pod_that_is_not_ready_at_the_end_are_reported() -> None:
    moments = (
        (0.0, [pod("rfr-0", "a"), pod("rfr-1", "b")]),
        (2.0, [pod("rfr-0", "a", restarts=1), pod("rfr-1", "b", ready=False)]),
        (5.0, [pod("rfr-0", "a", restarts=1), pod("rfr-1", "b", ready=False)]),
    )
    assert restarts(*moments) == [
        Restart(Ref("Pod", "rfr-0", "dev"), True, 0.0),
        Restart(Ref("Pod", "rfr-1", "dev"), False, 3.0),
    ]


def test_pods_of_a_deployment_are_one_place_and_jobs_do_not_count() -> None:
    owner = ("ReplicaSet", "rfs-5d")
    job = pod("backup-x", "j", owner=("Job", "backup"))
    ended = pod("rfr-9", "z", phase="Failed", ready=False)
    moments = (
        (0.0, [pod("rfs-5d-a", "a", owner=owner), job, ended]),
        (1.0, [pod("rfs-5d-a", "a", owner=owner), pod("rfs-5d-b", "b", owner=owner, ready=False)]),
        (3.0, [pod("rfs-5d-b", "b", owner=owner)]),
    )
    assert restarts(*moments) == [Restart(Ref("Deployment", "rfs", "dev"), True, 0.0)]
