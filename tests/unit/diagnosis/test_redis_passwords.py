"""Whose password is the old one: Redis' own, or that of a client which it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from support.evidence import NOW, diagnosed, evidence, operators, pod, pod_of
from vrooli.diagnosis.evidence import Answer, LogSource
from vrooli.diagnosis.interface import Cause
from vrooli.diagnosis.objects import Ref
from vrooli.release.readiness import REDIS_NAME

SERVER = "vrooli-dev-server"
CLIENT = f"{SERVER}-5d9c7b-abcde"
REFUSED = "AUTH failed: WRONGPASS invalid username-password pair or user is disabled."
FAILOVER = {
    "kind": "RedisFailover",
    "metadata": {"name": "vrooli-rf", "namespace": "dev"},
    "spec": {"redis": {"replicas": 3}, "sentinel": {"replicas": 3}},
}


def since(body: dict[str, Any], minutes: int) -> dict[str, Any]:
    """A pod whose container runs for so long, and that is as old."""
    began = (NOW - timedelta(minutes=minutes)).isoformat()
    body["metadata"]["creationTimestamp"] = began
    body["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": began}}
    return body


def redis(number: int, minutes: int = 30) -> dict[str, Any]:
    labels = {REDIS_NAME: "vrooli-rf", "app.kubernetes.io/component": "redis"}
    owner = ("StatefulSet", "rfr-vrooli-rf")
    return since(
        pod(f"rfr-vrooli-rf-{number}", owner=owner, labels=labels, container="redis"), minutes
    )


def told(
    *client: dict[str, Any],
    says: Iterable[str] = ("role:master", "role:slave", "role:slave"),
    by: LogSource | None = None,
) -> Cause:
    """The only cause, where a client says that its password is refused."""
    when = (NOW - timedelta(seconds=5)).isoformat()
    source = by or LogSource("dev", CLIENT, "server")
    answers = [
        Answer("redis-info", Ref("Pod", f"rfr-vrooli-rf-{number}", "dev"), said)
        for number, said in enumerate(says)
    ]
    seen = evidence(
        FAILOVER,
        *map(redis, range(3)),
        *client,
        *operators(),
        answers=answers,
        logs={source: [f"{when} vrooli-rf: WRONGPASS invalid username-password pair"]},
    )
    (cause,) = diagnosed(seen).causes
    assert cause.finding.name == "redis-wrong-password"
    return cause


def test_a_client_from_before_redis_is_the_one_to_start_anew() -> None:
    cause = told(since(pod_of(SERVER, container="server"), 60))
    assert cause.about == Ref("Deployment", SERVER, "dev")
    assert cause.finding.command == f"kubectl rollout restart deployment/{SERVER} -n dev"
    assert "every Redis takes" in cause.finding.found


def test_a_client_that_nothing_more_is_known_of_is_the_one_as_well() -> None:
    cause = told()
    assert cause.about == Ref("Pod", CLIENT, "dev")
    assert cause.finding.command == f"kubectl delete pod {CLIENT} -n dev"


@pytest.mark.parametrize("by", [None, LogSource("redis-operator", "operator-x", "operator")])
def test_whoever_read_the_secret_after_redis_did_has_the_newer_password(
    by: LogSource | None,
) -> None:
    client = since(pod_of(SERVER, container="server"), 5)
    cause = told(client, by=by)
    assert cause.about == Ref("RedisFailover", "vrooli-rf", "dev")


def test_a_client_reads_the_secret_each_time_that_it_is_started_again() -> None:
    client = since(pod_of(SERVER, container="server"), 60)
    status = client["status"]["containerStatuses"][0]
    ended = {"exitCode": 1, "startedAt": (NOW - timedelta(minutes=1)).isoformat()}
    status |= {"state": {"waiting": {}}, "lastState": {"terminated": ended}}
    assert told(client).about == Ref("RedisFailover", "vrooli-rf", "dev")


def test_redis_is_started_anew_one_pod_after_the_other_the_master_last() -> None:
    cause = told(since(pod_of(SERVER, container="server"), 5))
    assert cause.finding.command == "kubectl delete pod rfr-vrooli-rf-1 -n dev"
    assert "rfr-vrooli-rf-1, rfr-vrooli-rf-2, rfr-vrooli-rf-0" in cause.finding.remedy


def test_a_redis_that_refuses_its_own_password_is_the_one() -> None:
    client = since(pod_of(SERVER, container="server"), 60)
    cause = told(client, says=("role:master", REFUSED, "role:slave"))
    assert cause.about == Ref("RedisFailover", "vrooli-rf", "dev")
    assert cause.finding.command == "kubectl delete pod rfr-vrooli-rf-1 -n dev"
    assert "one pod after the other. " in cause.finding.remedy
