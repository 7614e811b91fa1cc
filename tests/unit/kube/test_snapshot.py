"""Objects at one moment, and who belongs to whom."""

from __future__ import annotations

from typing import Any

from vrooli.kube.objects import Ref
from vrooli.kube.snapshot import Snapshot


def pod(name: str, phase: str = "Running", *, namespace: str = "dev", **metadata: Any) -> Any:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "status": {"phase": phase},
    }


REDIS = {"app": "redis"}


def test_objects_are_those_of_the_snapshots_namespace_and_of_none() -> None:
    node = {"kind": "Node", "metadata": {"name": "n"}}
    snapshot = Snapshot.of([pod("a"), pod("b", namespace="other"), node], "dev")
    assert [item["metadata"]["name"] for item in snapshot.all("Pod")] == ["a"]
    assert len(snapshot.all("Pod", "")) == 2
    assert snapshot.all("Node") == [node]
    assert snapshot.find("Pod", "b") is None
    assert snapshot.find("Pod", "b", "other") is not None
    assert snapshot.find("Node", "n") == node
    assert snapshot.get(Ref("Pod", "b", "other")) is not None


def test_pods_that_are_deleted_do_not_count() -> None:
    deleted = pod("a", deletionTimestamp="2026-01-01T00:00:00Z")
    assert Snapshot.of([deleted]).pods() == []


def test_pods_that_have_ended_are_no_active_pods() -> None:
    evicted = pod("a", "Failed", labels=REDIS)
    running = pod("b", labels=REDIS)
    snapshot = Snapshot.of([evicted, running], "dev")
    assert snapshot.pods(REDIS) == [evicted, running]
    assert snapshot.active_pods(REDIS) == [running]


def test_empty_selector_selects_no_pod() -> None:
    snapshot = Snapshot.of([pod("a", labels=REDIS)])
    assert snapshot.pods({}) == []
    assert len(snapshot.pods()) == 1


def test_pod_of_a_replica_set_belongs_to_its_deployment() -> None:
    labels = {"pod-template-hash": "1a"}
    owners = [{"kind": "ReplicaSet", "name": "server-1a"}]
    server = pod("server-1a-x", labels=labels, ownerReferences=owners)
    snapshot = Snapshot.of([server, pod("alone")], "dev")
    assert snapshot.owner(server) == Ref("Deployment", "server", "dev")
    assert snapshot.pods_of(Ref("Deployment", "server", "dev")) == [server]
    assert snapshot.owner(pod("alone")) == Ref("Pod", "alone", "dev")


def test_events_are_found_by_their_object_and_reason() -> None:
    events = [
        {
            "kind": "Event",
            "metadata": {"name": f"e{minute}"},
            "involvedObject": {"kind": "Pod", "name": "a", "namespace": "dev", "uid": "u"},
            "reason": reason,
            "message": reason.lower(),
            "lastTimestamp": f"2026-01-01T00:0{minute}:00Z",
        }
        for minute, reason in ((2, "Killing"), (1, "Unhealthy"))
    ]
    snapshot = Snapshot.of(events)
    ref = Ref("Pod", "a", "dev")
    assert [item.reason for item in snapshot.events_of(ref)] == ["Unhealthy", "Killing"]
    assert [item.uid for item in snapshot.events_of(ref, "Killing")] == ["u"]
    assert snapshot.events_of(Ref("Pod", "b", "dev")) == []
