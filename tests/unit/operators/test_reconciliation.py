"""Which objects an operator has reconciled since its start, by its metrics and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vrooli.kube.events import Event
from vrooli.kube.objects import Ref
from vrooli.operators import PGO, REDIS, VSO
from vrooli.operators.reconciliation import Evidence, samples

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=2)
COUNTER = "controller_runtime_reconcile_total"


def body(kind: str, name: str, namespace: str = "dev") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}}


def evidence(bodies: list[dict[str, Any]], metrics: str, *events: Event) -> Evidence:
    return Evidence(bodies, metrics, events, SINCE, NOW)


def event(kind: str, last: datetime) -> Event:
    about = Ref("VaultStaticSecret", "redis", "dev")
    return Event(about, kind, "VaultClientError", "Code:  403.\npermission denied", last=last)


def test_samples_are_read_with_escaped_labels_and_without_comments() -> None:
    text = (
        "# HELP total Something.\n# TYPE total counter\n"
        'total{a="x",b="quote \\" and } brace"} 3\ntotal 4 1395066363000\nother_total 5\n'
        "total_created 1e+09\n"
    )
    assert list(samples(text, "total")) == [({"a": "x", "b": 'quote \\" and } brace'}, 3), ({}, 4)]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "x", "1e999"])
def test_values_that_are_no_numbers_are_left_out(value: str) -> None:
    """A counter of objects is finite."""
    assert list(samples(f"total {value}\ntotal 1", "total")) == [({}, 1)]


def test_pgo_has_reconciled_as_many_clusters_as_there_are_without_errors() -> None:
    clusters = [body("PostgresCluster", name) for name in ("a", "b")]

    def lines(errors: int, successes: int, requeues: int) -> str:
        results = {"error": errors, "success": successes, "requeue_after": requeues}
        return "\n".join(
            f'{COUNTER}{{controller="postgrescluster",result="{result}"}} {count}'
            for result, count in results.items()
        )

    assert list(PGO.unreconciled(evidence(clusters, lines(0, 1, 1)))) == []
    assert list(PGO.unreconciled(evidence(clusters, lines(7, 1, 0)))) == [
        "1 of 2 PostgresCluster objects are reconciled"
    ]
    other = lines(0, 9, 0).replace("postgrescluster", "pgupgrade")
    assert list(PGO.unreconciled(evidence(clusters, other))) == [
        "0 of 2 PostgresCluster objects are reconciled"
    ]
    assert list(PGO.unreconciled(evidence([], ""))) == []


def test_the_redis_operator_names_each_failover_whose_reconciliation_did_not_succeed() -> None:
    failovers = [body("RedisFailover", "rf", name) for name in ("dev", "staging", "production")]
    metrics = (
        'redis_operator_controller_cluster_ok{name="rf",namespace="dev"} 1\n'
        'redis_operator_controller_cluster_ok{name="rf",namespace="staging"} 0\n'
    )
    assert list(REDIS.unreconciled(evidence(failovers, metrics))) == [
        "RedisFailover/rf in namespace staging is not reconciled",
        "RedisFailover/rf in namespace production is not reconciled",
    ]


def test_a_refusal_of_vault_that_counts_as_a_success_is_not_one() -> None:
    secret = [body("VaultStaticSecret", "redis")]
    counted = f'{COUNTER}{{controller="vaultstaticsecret",result="requeue_after"}} 4'
    refused = event("Warning", NOW - timedelta(seconds=6))
    assert list(VSO.unreconciled(evidence(secret, counted, refused))) == [
        "VaultStaticSecret/redis in namespace dev: VaultClientError: Code: 403. permission denied"
    ]
    synced = event("Normal", NOW - timedelta(seconds=5))
    assert list(VSO.unreconciled(evidence(secret, counted, refused, synced))) == []
    # VSO repeats failed attempts: one that was not repeated has succeeded, which is no event.
    old = event("Warning", NOW - timedelta(seconds=50))
    assert list(VSO.unreconciled(evidence(secret, counted, old))) == []
    assert list(VSO.unreconciled(evidence([], counted, refused))) == []
    earlier = Evidence(secret, counted, [refused], NOW - timedelta(seconds=1), NOW)
    assert list(VSO.unreconciled(earlier)) == []
