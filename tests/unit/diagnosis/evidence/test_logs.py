"""Thousands of pods take little memory, and hide nothing of each other."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import evidence, pod_of
from vrooli.diagnosis.evidence.collection import logs
from vrooli.diagnosis.evidence.collection.interning import Shared
from vrooli.kube.unavailable import Unavailable

RUNS: dict[str, Any] = {"running": {}}


def test_equal_parts_of_objects_are_one() -> None:
    shared = Shared()
    first, second = (shared.of(pod_of("vrooli-dev-server")) for _ in range(2))
    assert first == second == pod_of("vrooli-dev-server")
    assert first["spec"] is second["spec"]


def test_of_parts_that_differ_the_equal_ones_are_one() -> None:
    shared = Shared()
    bodies = [pod_of("vrooli-dev-server"), pod_of("vrooli-dev-server")]
    bodies[1]["spec"]["nodeName"] = "other"
    first, second = map(shared.of, bodies)
    assert second == bodies[1]
    assert first["spec"]["containers"] is second["spec"]["containers"]


def test_the_logs_of_one_workload_leave_room_for_those_of_another() -> None:
    pods = [pod_of("vrooli-dev-server", ready=False, state=RUNS) for _ in range(3)]
    for number, body in enumerate(pods):
        body["metadata"]["name"] += f"-{number}"
    jobs = pod_of("vrooli-dev-jobs", ready=False, state=RUNS)
    found = [source.pod for source in logs._sources(evidence(*pods, jobs))]
    assert found.index(jobs["metadata"]["name"]) == 1


def test_logs_that_one_reason_keeps_out_of_sight_are_counted() -> None:
    refused = [
        Unavailable(f"log of x-{number}/main", f"x-{number} is forbidden") for number in range(9)
    ]
    (found,) = logs.counted(refused)
    assert found.resource == "9 logs, such as the log of x-0/main"
    assert found.reason == "… is forbidden"


def test_logs_of_some_reasons_are_named() -> None:
    refused = [Unavailable("log of x/main", "no answer"), Unavailable("log of y/main", "gone")]
    assert logs.counted(refused) == refused
