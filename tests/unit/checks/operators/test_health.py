"""What is said of the three operators, from what a cluster tells of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.fakes.check_site import names, rendered, site
from support.fakes.cluster import FakeCluster
from support.fakes.cluster_api import Request
from vrooli.checks import catalog, runner
from vrooli.checks.interface import Outcome
from vrooli.checks.interface import State as Ended
from vrooli.checks.operators import health
from vrooli.operators import PGO, REDIS, VSO, OperatorStatus
from vrooli.operators.model import INSTALL_COMMAND, State

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _time(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


def _lease(seconds_ago: float) -> dict[str, Any]:
    spec = {"renewTime": _time(seconds_ago), "leaseDurationSeconds": 15}
    return {"metadata": {"name": "leader"}, "spec": spec}


def _object(kind: str, generation: int, status: dict[str, int], changed_ago: float) -> Any:
    return {
        "kind": kind,
        "metadata": {
            "name": "x",
            "namespace": "dev",
            "generation": generation,
            "creationTimestamp": _time(9999),
            "managedFields": [
                {"time": _time(changed_ago)},
                {"time": _time(0), "subresource": "status"},
            ],
        },
        "status": status,
    }


def test_an_operator_that_is_not_there_is_to_be_installed_by_the_command() -> None:
    finding = health.absent(REDIS)
    assert finding.resource == "Redis operator (Spotahome)"
    assert finding.command == INSTALL_COMMAND


def test_an_operator_whose_pods_are_not_ready_is_told_with_what_they_lack() -> None:
    status = OperatorStatus("o", "ns", State.NOT_READY, detail="0 of 1 pods are available")
    (finding,) = health.not_ready(PGO, status)
    assert "0 of 1 pods are available" in finding.message
    assert finding.command.startswith("kubectl describe pods -n ns -l ")
    assert health.not_ready(PGO, OperatorStatus("o", "ns", State.READY)) == []


def test_rights_that_an_operator_lacks_are_told_by_verb_and_kind() -> None:
    refused = ["create StatefulSet", "patch PostgresCluster/status"]
    observed = health.judge_permissions(PGO, ("pgo-ns", "pgo"), refused, 12)
    (finding,) = observed.findings
    assert finding.resource == "ServiceAccount/pgo in pgo-ns"
    assert (
        finding.message == "it is not allowed to create StatefulSet, patch PostgresCluster/status."
    )
    assert (
        health.judge_permissions(PGO, ("pgo-ns", "pgo"), [], 12).summary == "has its 12 permissions"
    )


def test_a_leader_that_renews_its_lease_is_at_work() -> None:
    observed = health.judge_leases(VSO, "ns", [_lease(400), _lease(5)], NOW)
    assert (observed.summary, observed.findings) == ("has an active leader", ())


def test_a_lease_that_nobody_renews_is_found() -> None:
    assert names(health.judge_leases(VSO, "ns", [_lease(400)], NOW)) == ["Lease/leader"]


def test_an_operator_without_leases_is_not_asked_for_a_leader() -> None:
    empty = {"metadata": {"name": "x"}, "spec": {}}
    assert health.judge_leases(REDIS, "ns", [empty], NOW) == health.CheckResult()


def test_an_object_whose_last_change_is_not_looked_at_for_a_minute_is_found() -> None:
    late = _object("PostgresCluster", 3, {"observedGeneration": 2}, 90)
    fresh = _object("PostgresCluster", 3, {"observedGeneration": 2}, 5)
    done = _object("PostgresCluster", 3, {"observedGeneration": 3}, 90)
    assert names(health.judge_observed(PGO, [late], NOW)) == ["PostgresCluster/x in dev"]
    assert health.judge_observed(PGO, [fresh, done], NOW).findings == ()
    synced = _object("VaultStaticSecret", 2, {"lastGeneration": 1}, 90)
    assert names(health.judge_observed(VSO, [synced], NOW)) == ["VaultStaticSecret/x in dev"]


def test_redis_failovers_have_no_status_so_nothing_is_said_of_them() -> None:
    item = _object("RedisFailover", 3, {}, 9999)
    assert health.judge_observed(REDIS, [item], NOW).summary == "reconciles 1 object"


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, [True, True, True]),
        ({"vso": {"enabled": False}}, [True, True, False]),
        (
            {
                "pgoPostgresql": {"enabled": False},
                "externalPostgresql": {"host": "db.example"},
            },
            [False, True, True],
        ),
        (
            {"spotahomeRedis": {"enabled": False}, "externalRedis": {"host": "redis.example"}},
            [True, False, True],
        ),
    ],
)
def test_only_the_operators_that_the_values_use_are_looked_at(
    changes: dict[str, Any], needed: list[bool]
) -> None:
    here = site(rendered(**changes))
    assert [check.skip_reason(here) == "" for check in health.CHECKS] == needed


def _deployment(available: int, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """The Deployment of the Redis operator."""
    key, _, value = REDIS.selector.partition("=")
    container = {"image": "quay.io/spotahome/redis-operator:v1.2.4"}
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "x",
            "namespace": "elsewhere",
            "labels": {key: value} if labels is None else labels,
        },
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"replicas": 1, "updatedReplicas": 1, "availableReplicas": available},
    }


async def _check_redis(cluster: FakeCluster) -> Outcome:
    """The check of the Redis operator before a deploy."""
    redis = [check for check in health.CHECKS if check.name == REDIS.name]
    (outcome,) = await runner.run(redis, site(rendered(), cluster))
    return outcome


def _lists(cluster: FakeCluster) -> int:
    return sum(item.verb == "list" for item in cluster.requests)


def test_a_deploy_checks_the_operators() -> None:
    assert set(health.CHECKS) <= set(catalog.STOP_DEPLOYS)


async def test_an_operator_that_does_not_exist_stops_a_deploy() -> None:
    outcome = await _check_redis(FakeCluster())
    assert outcome.findings == (health.absent(REDIS),)


async def test_an_operator_that_stays_unready_stops_a_deploy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "RESTART_S", 0.05)
    monkeypatch.setattr(health, "POLL_S", 0.01)
    outcome = await _check_redis(FakeCluster(_deployment(0)))
    (finding,) = outcome.findings
    assert "0 of 1 pods are available" in finding.message


async def test_a_deploy_waits_for_an_operator_that_restarts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "POLL_S", 0.01)
    cluster = FakeCluster(_deployment(0))

    def restart(request: Request) -> None:
        if _lists(cluster) == 2:
            cluster.add(_deployment(1))

    cluster.server.on_request = restart
    outcome = await _check_redis(cluster)
    assert outcome.state is Ended.OK
    assert _lists(cluster) == 2


async def test_an_operator_that_is_ready_is_read_once_before_a_deploy() -> None:
    cluster = FakeCluster(_deployment(1))
    outcome = await _check_redis(cluster)
    assert outcome.state is Ended.OK
    assert _lists(cluster) == 1


async def test_an_operator_with_other_labels_does_not_stop_a_deploy() -> None:
    outcome = await _check_redis(FakeCluster(_deployment(1, labels={})))
    assert outcome.state is Ended.UNKNOWN
    assert outcome.error is None


async def test_a_missing_permission_to_read_operators_does_not_stop_a_deploy() -> None:
    cluster = FakeCluster()
    cluster.failures.forbid("list", "Deployment")
    outcome = await _check_redis(cluster)
    assert (outcome.state, outcome.findings) == (Ended.UNKNOWN, ())
    assert runner.is_forbidden(outcome.error)


async def test_kinds_that_are_not_served_are_reported_by_their_own_check() -> None:
    cluster = FakeCluster()
    cluster.server.unserved.add("databases.spotahome.com/v1")
    outcome = await _check_redis(cluster)
    assert outcome.findings == ()
