"""Uninstalling a release: what is deleted, the confirmation, and the lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_api import Request
from support.release.records import helm_secret, record
from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.cli import uninstall as command
from vrooli.cli.terminal import prompt
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import InterruptError, UsageError
from vrooli.events import Progress, silent
from vrooli.release import Release, helm
from vrooli.release import uninstall as release_uninstall
from vrooli.steps import Done
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.deploys import uninstall as workflow
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

PROD = ENVIRONMENTS["prod"]
RELEASE = Release("vrooli-prod", "production", Path("kubeconfig"))
NAMESPACE = namespace("production")
REDIS = {"kind": "RedisFailover", "name": "vrooli-rf"}


def _claim(name: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name, **metadata}}


def _cluster(*objects: dict[str, Any]) -> FakeCluster:
    return FakeCluster(*objects, namespace=RELEASE.namespace)


def _run(
    monkeypatch: pytest.MonkeyPatch,
    cluster: FakeCluster,
    *,
    data: bool = True,
    consent: Consent = CONFIRMED,
    environment: Environment = PROD,
) -> tuple[StepsResult, list[str]]:
    """The result, and in order the changes of the cluster and Helm's uninstallation."""
    changes: list[str] = []

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), cluster)

    async def remove(*_: object) -> Done:
        changes.append("uninstall")
        return Done(changed=True)

    def record_change(request: Request) -> None:
        if request.verb not in ("get", "list"):
            changes.append(f"{request.verb} {request.kind}")

    cluster.server.on_request = record_change
    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(release_uninstall, "remove", remove)
    result = asyncio.run(workflow.uninstall(environment, None, silent, data=data, consent=consent))
    return result, changes


def test_the_release_is_locked_until_its_namespace_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster(NAMESPACE)
    result, changes = _run(monkeypatch, cluster)
    assert changes == ["create Lease", "uninstall", "delete Namespace"]
    assert cluster.find("Namespace", "production") is None
    assert [step.title for step in result.steps] == ["Helm release", "Databases and volumes"]
    assert result.steps[-1].detail == "namespace production and all data in it were deleted"


def test_without_data_the_namespace_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _cluster(NAMESPACE)
    _, changes = _run(monkeypatch, cluster, data=False)
    assert changes == ["create Lease", "uninstall", "delete Lease"]


def test_a_missing_namespace_is_not_created_for_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, changes = _run(monkeypatch, _cluster())
    assert changes == ["uninstall"]
    assert result.steps[-1].detail == "there is no namespace production"


def test_a_terminating_namespace_is_not_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _cluster(namespace("production", deletionTimestamp="2026-01-01T00:00:00Z"))
    _, changes = _run(monkeypatch, cluster, data=False)
    assert changes == ["uninstall"]


def test_a_declined_confirmation_changes_nothing_and_names_the_deletion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, prompts = _cluster(NAMESPACE), list[str]()
    with pytest.raises(InterruptError, match="nothing was changed"):
        _run(monkeypatch, cluster, consent=Consent(ask=prompts.append))  # type: ignore[arg-type]
    assert prompts == ["Delete vrooli-prod and namespace production with all its data?"]
    assert cluster.changes == []


def test_without_a_terminal_and_without_confirmation_nothing_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster(NAMESPACE)
    with pytest.raises(UsageError, match="namespace production with all its data") as refused:
        _run(monkeypatch, cluster, consent=Consent())
    assert "--yes" in refused.value.advice
    assert cluster.changes == []


def test_a_release_is_not_uninstalled_unconfirmed_though_its_data_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster(NAMESPACE)
    with pytest.raises(UsageError, match="in namespace dev and keep its data") as refused:
        _run(monkeypatch, cluster, data=False, consent=Consent(), environment=ENVIRONMENTS["dev"])
    assert "--yes" in refused.value.advice
    assert cluster.changes == []


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("yes", [True, False])
def test_the_command_passes_the_consent_on(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, yes: bool
) -> None:
    consents: list[Consent] = []

    async def uninstall(*rest: object, data: bool, consent: Consent) -> StepsResult:
        consents.append(consent)
        return StepsResult(changed=False, elapsed_s=0.0, steps=())

    monkeypatch.setattr(prompt, "on_terminal", lambda: terminal)
    monkeypatch.setattr(workflow, "uninstall", uninstall)
    command.command(environment="prod", data=True, yes=yes)
    assert consents == [Consent(yes, prompt.confirm if terminal else None)]


def _uninstall_message(
    monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster, *recorded: Manifest
) -> str:
    """The message for a release with these objects; Helm has no record if there are none."""

    async def call(*_: object) -> None:
        """Helm itself is not part of the test."""

    if recorded:
        cluster.add(helm_secret(RELEASE, record(objects=recorded)))
    monkeypatch.setattr(helm, "call", call)
    return asyncio.run(release_uninstall.remove(cluster, RELEASE, Progress())).detail


def _manifest(kind: str, name: str, *, keep: bool = False) -> Manifest:
    metadata = {"name": name, "annotations": {RESOURCE_POLICY: "keep"} if keep else {}}
    body = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return Manifest("v1", kind, name, "production", "templates/x.yaml", body)


def test_only_volumes_that_remain_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster(
        _claim("redis"),
        _claim("of-redis", ownerReferences=[REDIS]),
        _claim("going", deletionTimestamp="2026-01-01T00:00:00Z"),
    )
    database = _manifest("PostgresCluster", "vrooli-pg", keep=True)
    message = _uninstall_message(
        monkeypatch, cluster, database, _manifest("RedisFailover", "vrooli-rf")
    )
    assert message == (
        "vrooli-prod was uninstalled; its data remain in PostgresCluster/vrooli-pg, "
        "PersistentVolumeClaim/redis"
    )


def test_volumes_are_named_when_the_release_was_deleted_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = _uninstall_message(monkeypatch, _cluster(_claim("redis")))
    leftovers = "there is no release vrooli-prod; its data remain in PersistentVolumeClaim/redis"
    assert message == leftovers
    assert _uninstall_message(monkeypatch, _cluster()) == "there is no release vrooli-prod"


async def test_a_new_release_reports_objects_of_an_earlier_one() -> None:
    labels = {
        "app.kubernetes.io/component": "redis",
        "app.kubernetes.io/name": "vrooli-rf",
        "app.kubernetes.io/part-of": "redis-failover",
    }
    claims = _claim("data-rfr-vrooli-rf-0", labels=labels), _claim("other")
    template = {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    storage = {"redis": {"storage": {"persistentVolumeClaim": template}}}
    redis = {"kind": "RedisFailover", "metadata": {"name": "vrooli-rf"}, "spec": storage}
    objects = [
        Manifest("v1", "RedisFailover", "vrooli-rf", "production", "", redis),
        Manifest("v1", "ConfigMap", "retained", "production", "", _keeps()),
        Manifest("v1", "Secret", "gone", "production", "", _keeps()),
        Manifest("v1", "ConfigMap", "others", "production", "", {"metadata": {}}),
    ]
    existing = [
        {"kind": "ConfigMap", "metadata": {"name": name}} for name in ("retained", "others")
    ]
    cluster = _cluster(*claims, *existing)
    leftovers = await release_uninstall.find_leftovers(cluster, RELEASE, objects)
    assert leftovers == ["ConfigMap/retained", "PersistentVolumeClaim/data-rfr-vrooli-rf-0"]
    assert release_uninstall.format_leftovers(leftovers).startswith(
        ", with objects of an earlier release: ConfigMap/retained"
    )
    assert release_uninstall.format_leftovers([]) == ""


def _keeps() -> dict[str, Any]:
    """An object that the chart keeps."""
    return {"metadata": {"annotations": {RESOURCE_POLICY: "keep"}}}
