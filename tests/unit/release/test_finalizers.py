"""Deletions that wait for an operator that does not run."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.operators import PGO, VSO, Operator
from vrooli.release import Release, finalizers, uninstall

FINALIZER = "vaultauth.secrets.hashicorp.com/finalizer"
RELEASE = Release("vrooli-dev", "dev", None)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No operator restarts in these tests."""
    monkeypatch.setattr(finalizers, "RESTART_S", 0.0)


def _operator(operator: Operator, replicas: int, available: int) -> dict[str, Any]:
    labels = dict(pair.split("=") for pair in operator.selector.split(","))
    container = {"name": "manager", "image": f"example.com/{operator.name}:1.0.0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "op", "namespace": operator.namespace, "labels": labels},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": available,
        },
    }


def _object(kind: str, name: str, *names: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "finalizers": list(names)}}


@pytest.mark.parametrize(
    ("deployments", "detail", "command"),
    [
        ([], "absent", "vrooli check --operators --fix"),
        ([_operator(VSO, 0, 0)], "scaled to 0 pods", "kubectl scale deployment"),
        ([_operator(VSO, 1, 0)], "0 of 1 pods are available", "kubectl describe pods"),
    ],
)
async def test_a_deletion_that_cannot_end_is_refused_with_object_finalizer_and_operator(
    deployments: list[dict[str, Any]], detail: str, command: str
) -> None:
    cluster = FakeCluster(_object("VaultAuth", "vrooli", FINALIZER), *deployments)
    with pytest.raises(PrerequisiteError) as raised:
        await finalizers.demand_operators(cluster, "dev")
    for part in ("VaultAuth/vrooli", FINALIZER, "the Vault Secrets Operator", detail):
        assert part in raised.value.message
    assert command in raised.value.advice
    assert (
        "kubectl patch vaultauths.secrets.hashicorp.com/vrooli -n dev --type=merge -p "
        '\'{"metadata":{"finalizers":null}}\'' in raised.value.advice
    )
    assert cluster.changes == []


@pytest.mark.parametrize(
    "objects",
    [
        [_object("VaultAuth", "vrooli", FINALIZER), _operator(VSO, 1, 1)],
        [_object("VaultAuth", "vrooli")],
        [_object("PersistentVolumeClaim", "data", "kubernetes.io/pvc-protection")],
        [],
    ],
)
async def test_a_deletion_that_needs_no_missing_operator_is_permitted(
    objects: list[dict[str, Any]],
) -> None:
    await finalizers.demand_operators(FakeCluster(*objects), "dev")


async def test_each_operator_is_named_and_long_lists_are_counted() -> None:
    cluster = FakeCluster(
        *(_object("VaultStaticSecret", f"s{index}", FINALIZER) for index in range(5)),
        _object("PostgresCluster", "vrooli-pg", "postgres-operator.crunchydata.com/finalizer"),
    )
    first, second = await finalizers.fetch_blocked(cluster, "dev")
    assert (first.operator, second.operator) == (PGO, VSO)
    assert "VaultStaticSecret/s2" in second.reason
    assert "and 2 more" in second.reason


async def test_an_operator_that_stops_during_the_deletion_ends_the_wait_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wait_for(*_: object) -> None:
        raise WaitTimeoutError("Namespace dev is not ready after 10 s: its objects remain")

    monkeypatch.setattr(FakeCluster, "wait_for", wait_for)
    monkeypatch.setattr(uninstall, "BLOCKED_S", 0.0)
    going = namespace("dev", deletionTimestamp="2026-01-01T00:00:00Z")
    cluster = FakeCluster(going, _object("VaultAuth", "vrooli", FINALIZER))
    with pytest.raises(WaitTimeoutError, match=r"VaultAuth/vrooli .*Vault Secrets Operator"):
        await uninstall.remove_data(cluster, RELEASE, Progress(), started=True)
