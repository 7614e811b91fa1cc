"""The command `upgrade operators`: what it refuses, its confirmation and its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError
from vrooli.events import Event, LogLine, Progress
from vrooli.kube import common_labels
from vrooli.operators import PGO, REDIS, VSO, Operator
from vrooli.release import Release, lease
from vrooli.steps import Done
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.operators import upgrade as workflow
from vrooli.workflows.operators.change import OperatorChange
from vrooli.workflows.operators.upgrade import NAMES, UpgradeOptions
from vrooli.workflows.results.operators import UpgradeOperatorsResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

RELEASE = Release.of(ENVIRONMENTS["dev"], Path("kubeconfig"))


def operator_objects(operator: Operator, version: str, *, ours: bool = True) -> list[Any]:
    """An operator's namespace and its Deployment, from its vendor."""
    pairs = (pair.partition("=") for pair in operator.selector.split(","))
    labels = {key: value or "pgo" for key, _, value in pairs}
    annotations = {
        "vrooli.com/source": "vendor",
        "vrooli.com/version": version,
        "vrooli.com/inputs": "of before",
    }
    image = f"registry.example/{operator.name}:{version}"
    return [
        namespace(
            operator.namespace,
            labels={common_labels.MANAGED_BY: "vrooli"} if ours else {},
            annotations=annotations if ours else {},
        ),
        {
            "kind": "Deployment",
            "metadata": {
                "name": operator.name,
                "namespace": operator.namespace,
                "labels": labels,
            },
            "spec": {"template": {"spec": {"containers": [{"name": "it", "image": image}]}}},
            "status": {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
        },
    ]


def release_objects(*, ready: bool = True) -> list[Any]:
    """A release with one Secret from Vault."""
    labels = {common_labels.PART_OF: "vrooli", common_labels.INSTANCE: RELEASE.name}
    return [
        namespace(RELEASE.namespace),
        {"kind": "ConfigMap", "metadata": {"name": "config", "labels": labels}},
        {
            "apiVersion": "secrets.hashicorp.com/v1beta1",
            "kind": "VaultStaticSecret",
            "metadata": {"name": "redis", "generation": 1},
            "spec": {"destination": {"name": "redis"}},
            "status": {"secretMAC": "x", "lastGeneration": 1} if ready else {},
        },
    ]


class Cluster:
    """A cluster with operators from their vendors, whose upgrades are recorded."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *objects: Any, kind: str = "context"
    ) -> None:
        self.kube = FakeCluster(*objects, namespace=RELEASE.namespace)
        self.acts: list[str] = []
        self.lines: list[str] = []

        @asynccontextmanager
        async def connect(text: str | None) -> AsyncIterator[Access]:
            del text
            reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
            yield Access(Choice("context", "mine"), cast(Any, reached), self.kube)

        async def make(change: OperatorChange, progress: Progress) -> Done:
            del progress
            holder = await lease.fetch_holder(self.kube, RELEASE)
            self.acts.append(f"{change._name}, {'locked' if holder else 'unlocked'}")
            return Done(True, "done")

        monkeypatch.setattr(access, "connect", connect)
        monkeypatch.setattr(OperatorChange, "make", make)

    def run(
        self, *names: str, consent: Consent = CONFIRMED, force: bool = False
    ) -> UpgradeOperatorsResult:
        def listen(event: Event) -> None:
            if isinstance(event, LogLine):
                self.lines.append(event.text)

        options = UpgradeOptions(names, force=force)
        return asyncio.run(workflow.upgrade_operators(options, listen, consent))


def every(*others: str) -> list[Any]:
    """All operators, of the versions that their vendors' charts install."""
    versions = ((PGO, "5.8.2"), (REDIS, "1.2.4"), (VSO, "0.10.0"))
    return [
        item
        for operator, version in versions
        for item in operator_objects(operator, version, ours=operator.name not in others)
    ]


def outcomes(result: UpgradeOperatorsResult) -> dict[str, str]:
    return {item.operator: item.outcome for item in result.operators}


@pytest.fixture(autouse=True)
def _own_state(state_dir: Path) -> None:
    """The turns of clusters are locks in the state folder."""


def test_one_operator_follows_another_under_the_locks_of_the_releases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, *every(), *release_objects())
    result = cluster.run()
    assert cluster.acts == ["postgres, locked", "redis, locked", "vault, locked"]
    assert outcomes(result) == dict.fromkeys(NAMES, "upgraded")
    assert cluster.lines[1] == (
        "Redis operator (Spotahome) 1.2.4 (installed by vrooli, the chart of its vendor)"
    )
    assert cluster.kube.find("Lease", "vrooli-dev-deploy") is None


def test_operators_of_others_are_skipped_unless_they_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, *every(REDIS.name))
    result = cluster.run()
    assert cluster.acts == ["postgres, unlocked", "vault, unlocked"]
    assert outcomes(result)["redis"] == "skipped"
    with pytest.raises(PrerequisiteError, match=r"1\.2\.4 was not installed by vrooli"):
        cluster.run("redis")


def test_an_absent_operator_is_skipped_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, *operator_objects(REDIS, "1.2.4"))
    assert outcomes(cluster.run()) == {
        "postgres": "skipped",
        "redis": "upgraded",
        "vault": "skipped",
    }
    with pytest.raises(PrerequisiteError, match="is not installed"):
        cluster.run("vault")


def test_a_downgrade_is_refused_although_nothing_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, *operator_objects(VSO, "1.4.1"))
    with pytest.raises(PrerequisiteError, match=r"1\.4\.1 is newer than 0\.10\.0"):
        cluster.run(force=True)
    assert cluster.acts == []


def test_an_unproven_upgrade_needs_force(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, *operator_objects(VSO, "0.9.1"))
    with pytest.raises(
        PrerequisiteError, match=r"from 0\.9\.1 to 0\.10\.0 was not proven"
    ) as raised:
        cluster.run()
    assert "--force" in raised.value.advice
    assert cluster.run(force=True).operators[2].after == "0.10.0"


def test_a_release_that_is_not_healthy_needs_force(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, *every(), *release_objects(ready=False))
    with pytest.raises(PrerequisiteError) as raised:
        cluster.run()
    assert (
        "VaultStaticSecret/redis in namespace dev: the Secret redis is not synced"
        in raised.value.message
    )
    assert cluster.acts == []
    cluster.run(force=True)
    assert len(cluster.acts) == len(NAMES)


def test_a_running_deploy_refuses_the_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC).isoformat()
    held = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "vrooli-dev-deploy"},
        "spec": {
            "holderIdentity": "somebody",
            "leaseDurationSeconds": 30,
            "acquireTime": now,
            "renewTime": now,
        },
    }
    cluster = Cluster(monkeypatch, *every(), *release_objects(), held)
    with pytest.raises(PrerequisiteError, match="Another deploy of vrooli-dev"):
        cluster.run(force=True)
    assert cluster.acts == []


def test_without_confirmation_nothing_is_upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, prompts = Cluster(monkeypatch, *operator_objects(REDIS, "1.2.3")), list[str]()
    with pytest.raises(UsageError, match="Confirmation is required"):
        cluster.run(consent=Consent())
    with pytest.raises(InterruptError):
        cluster.run(consent=Consent(ask=prompts.append))  # type: ignore[arg-type]
    assert prompts == [
        "Upgrade Redis operator (Spotahome) from 1.2.3 to 1.2.4 in context:mine, for all releases "
        "in it; an operator may restart pods of their databases?"
    ]
    assert cluster.acts == []


def test_an_image_that_is_built_here_is_not_for_a_cluster_that_pulls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = operator_objects(REDIS, "1.2.3")
    objects[0]["metadata"]["annotations"]["vrooli.com/source"] = "go-module"
    cluster = Cluster(monkeypatch, *objects)
    with pytest.raises(PrerequisiteError, match="context:mine pulls its images"):
        cluster.run()


def test_an_unknown_operator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="There is no operator 'mysql'"):
        Cluster(monkeypatch).run("mysql")
