"""What is said of the three operators, from what a cluster tells of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.fakes.check_site import names, rendered, site
from vrooli.checks import catalog, runner
from vrooli.checks.interface import Outcome
from vrooli.checks.interface import State as Ended
from vrooli.checks.operators import health
from vrooli.kube import ApiError
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
    seen = health.judge_permissions(PGO, ("pgo-ns", "pgo"), refused, 12)
    (finding,) = seen.findings
    assert finding.resource == "ServiceAccount/pgo in pgo-ns"
    assert (
        finding.message == "it is not allowed to create StatefulSet, patch PostgresCluster/status."
    )
    assert (
        health.judge_permissions(PGO, ("pgo-ns", "pgo"), [], 12).summary == "has its 12 permissions"
    )


def test_a_leader_that_renews_its_lease_is_at_work() -> None:
    seen = health.judge_leases(VSO, "ns", [_lease(400), _lease(5)], NOW)
    assert (seen.summary, seen.findings) == ("has an active leader", ())


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
    assert health.judge_observed(REDIS, [item], NOW).summary == "reconciles 1 objects"


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


class Cluster:
    """An API server with the operators' Deployments, or one that refuses to list them."""

    def __init__(self, *deployments: Any, refused: bool = False, served: bool = True) -> None:
        self.deployments, self.refused, self.served = list(deployments), refused, served
        self.looks = 0

    async def serves(self, api_version: str, kind: str) -> bool:
        return self.served

    async def get(self, *words: str) -> None:
        return None

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str | None = None
    ) -> list[Any]:
        self.looks += 1
        if self.refused:
            raise ApiError(f"list {kind}", 403, "forbidden")
        if self.looks > 1 and self.deployments:
            self.deployments[0]["status"] = self.deployments[0].get("later", {})
        labelled = (item for item in self.deployments if item["metadata"]["labels"])
        return self.deployments if labels is None else list(labelled)


def _deployment(available: int, **changes: Any) -> Any:
    status = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": available}
    container = {"image": "quay.io/spotahome/redis-operator:v1.2.4"}
    return {
        "metadata": {"name": "x", "namespace": "there", "labels": {"a": "b"}},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": status,
        "later": status,
        **changes,
    }


async def _before_a_deploy(cluster: Cluster) -> Outcome:
    redis = [check for check in health.CHECKS if check.name == REDIS.name]
    (outcome,) = await runner.run(redis, site(rendered(), cluster))
    return outcome


def test_a_deploy_looks_at_the_operators() -> None:
    assert set(health.CHECKS) <= set(catalog.STOP_DEPLOYS)


async def test_a_deploy_is_stopped_by_an_operator_that_is_not_there() -> None:
    found = await _before_a_deploy(Cluster())
    (finding,) = found.findings
    assert finding == health.absent(REDIS)


async def test_a_deploy_is_stopped_by_an_operator_that_stays_unready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "RESTART_S", 0.05)
    monkeypatch.setattr(health, "POLL_S", 0.01)
    found = await _before_a_deploy(Cluster(_deployment(0)))
    (finding,) = found.findings
    assert "0 of 1 pods are available" in finding.message


async def test_an_operator_that_is_just_restarted_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "POLL_S", 0.01)
    cluster = Cluster(_deployment(0, later=_deployment(1)["status"]))
    found = await _before_a_deploy(cluster)
    assert found.state is Ended.OK
    assert cluster.looks == 2


async def test_an_operator_that_is_ready_costs_one_look_before_a_deploy() -> None:
    cluster = Cluster(_deployment(1))
    found = await _before_a_deploy(cluster)
    assert found.state is Ended.OK
    assert cluster.looks == 1


async def test_an_operator_that_somebody_labelled_otherwise_stops_nothing() -> None:
    bare = {"name": "x", "namespace": "there", "labels": {}}
    found = await _before_a_deploy(Cluster(_deployment(1, metadata=bare)))
    assert found.state is Ended.UNKNOWN
    assert found.error is None


async def test_who_may_not_look_at_operators_is_not_stopped() -> None:
    found = await _before_a_deploy(Cluster(refused=True))
    outcome = found
    assert (outcome.state, outcome.findings) == (Ended.UNKNOWN, ())
    assert runner.is_forbidden(outcome.error)


async def test_kinds_that_are_not_served_are_told_by_their_own_check() -> None:
    found = await _before_a_deploy(Cluster(served=False))
    assert found.findings == ()
