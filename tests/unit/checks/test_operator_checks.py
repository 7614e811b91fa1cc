"""What is said of the three operators, from what a cluster tells of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.checking import names, rendered, site
from vrooli.checks import kinds, operator_needs, operators
from vrooli.operators import OperatorStatus
from vrooli.operators.interface import State

PGO, REDIS, VSO = operator_needs.ALL
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
    finding = operators.absent(REDIS)
    assert finding.what == "Redis operator (Spotahome)"
    assert finding.command == kinds.INSTALL


def test_an_operator_whose_pods_are_not_ready_is_told_with_what_they_lack() -> None:
    status = OperatorStatus("o", "ns", State.NOT_READY, detail="0 of 1 pods are available")
    (finding,) = operators.not_ready(PGO, status)
    assert "0 of 1 pods are available" in finding.found
    assert finding.command.startswith("kubectl describe pods -n ns -l ")
    assert operators.not_ready(PGO, OperatorStatus("o", "ns", State.READY)) == []


def test_rights_that_an_operator_lacks_are_told_by_verb_and_kind() -> None:
    refused = ["create StatefulSet", "patch PostgresCluster/status"]
    seen = operators.judge_rights(PGO, ("pgo-ns", "pgo"), refused, 12)
    (finding,) = seen.findings
    assert finding.what == "ServiceAccount/pgo in pgo-ns"
    assert finding.found == "it may not create StatefulSet, patch PostgresCluster/status."
    assert operators.judge_rights(PGO, ("pgo-ns", "pgo"), [], 12).found == "has its 12 rights"


def test_a_leader_that_renews_its_lease_is_at_work() -> None:
    seen = operators.judge_leases(VSO, "ns", [_lease(400), _lease(5)], NOW)
    assert (seen.found, seen.findings) == ("a leader at work", ())


def test_a_lease_that_nobody_renews_is_found() -> None:
    assert names(operators.judge_leases(VSO, "ns", [_lease(400)], NOW)) == ["Lease/leader"]


def test_an_operator_without_leases_is_not_asked_for_a_leader() -> None:
    empty = {"metadata": {"name": "x"}, "spec": {}}
    assert operators.judge_leases(REDIS, "ns", [empty], NOW) == operators.Seen()


def test_an_object_whose_last_change_is_not_looked_at_for_a_minute_is_found() -> None:
    late = _object("PostgresCluster", 3, {"observedGeneration": 2}, 90)
    fresh = _object("PostgresCluster", 3, {"observedGeneration": 2}, 5)
    done = _object("PostgresCluster", 3, {"observedGeneration": 3}, 90)
    assert names(operators.judge_observed(PGO, [late], NOW)) == ["PostgresCluster/x in dev"]
    assert operators.judge_observed(PGO, [fresh, done], NOW).findings == ()
    synced = _object("VaultStaticSecret", 2, {"lastGeneration": 1}, 90)
    assert names(operators.judge_observed(VSO, [synced], NOW)) == ["VaultStaticSecret/x in dev"]


def test_redis_failovers_have_no_status_so_nothing_is_said_of_them() -> None:
    item = _object("RedisFailover", 3, {}, 9999)
    assert operators.judge_observed(REDIS, [item], NOW).found == "looks after 1 objects"


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
    assert [check.needless(here) == "" for check in operators.CHECKS] == needed
