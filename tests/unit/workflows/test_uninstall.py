"""What goes with a release, who is asked before, and that nobody deploys meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.release.records import record
from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.cli import uninstall as command
from vrooli.cli.terminal import prompt
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, UsageError
from vrooli.events import Progress, silent
from vrooli.kube import ApiError, Kube
from vrooli.release import Release, helm, lease
from vrooli.release import uninstall as release_uninstall
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done
from vrooli.workflows import uninstall as workflow
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

PROD = ENVIRONMENTS["prod"]
RELEASE = Release("vrooli-prod", "production", Path("kubeconfig"))
NAMESPACE = {"metadata": {"name": "production"}}
REDIS = {"kind": "RedisFailover", "name": "vrooli-rf"}


def _claim(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}}


class Cluster:
    """Stands for an API server that has a namespace and volumes, and notes what is done."""

    def __init__(self, *claims: dict[str, Any], namespace: dict[str, Any] | None = None) -> None:
        self.claims, self.namespace = claims, namespace
        self.done: list[str] = []

    async def list(self, *words: str) -> list[dict[str, Any]]:
        if words[1:] != ("PersistentVolumeClaim", "production"):
            raise ApiError("list", 403, "no")
        return list(self.claims)

    async def get(self, api: str, kind: str, name: str, *rest: Any) -> dict[str, Any] | None:
        del api, name, rest
        return self.namespace if kind == "Namespace" else None

    async def delete(self, api: str, kind: str, name: str, *rest: Any) -> bool:
        del api, rest
        self.done.append(f"delete {kind} {name}")
        self.namespace = None
        return True


def _run(
    monkeypatch: pytest.MonkeyPatch,
    cluster: Cluster,
    *,
    data: bool = True,
    consent: Consent = CONFIRMED,
) -> StepsResult:
    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), cast(Kube, cluster))

    @asynccontextmanager
    async def held(*words: object) -> AsyncIterator[None]:
        cluster.done.append("hold")
        yield
        cluster.done.append("let go")

    async def remove(*words: object) -> Done:
        cluster.done.append("uninstall")
        return Done(changed=True)

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(lease, "hold", held)
    monkeypatch.setattr(release_uninstall, "remove", remove)
    return asyncio.run(workflow.uninstall(PROD, None, silent, data=data, consent=consent))


def test_the_release_is_locked_until_its_namespace_is_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(namespace=NAMESPACE)
    ended = _run(monkeypatch, cluster)
    assert cluster.done == ["hold", "uninstall", "delete Namespace production", "let go"]
    assert [step.title for step in ended.steps] == ["Helm release", "Databases and volumes"]
    assert ended.steps[-1].detail == "namespace production and all data in it were deleted"


def test_without_the_data_the_namespace_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(namespace=NAMESPACE)
    _run(monkeypatch, cluster, data=False)
    assert cluster.done == ["hold", "uninstall", "let go"]


def test_a_namespace_that_is_not_there_is_not_made_to_lock_a_release_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster()
    ended = _run(monkeypatch, cluster)
    assert cluster.done == ["uninstall"]
    assert ended.steps[-1].detail == "there is no namespace production"


def test_one_that_is_ending_can_not_be_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = {**NAMESPACE["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    cluster = Cluster(namespace={"metadata": metadata})
    _run(monkeypatch, cluster, data=False)
    assert cluster.done == ["uninstall"]


def test_a_no_changes_nothing_and_the_question_reports_what_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, requests = Cluster(namespace=NAMESPACE), list[str]()
    with pytest.raises(InterruptError, match="nothing was changed"):
        _run(monkeypatch, cluster, consent=Consent(ask=requests.append))  # type: ignore[arg-type]
    assert requests == ["Delete vrooli-prod and namespace production with all its data?"]
    assert cluster.done == []


def test_without_a_terminal_and_without_confirmation_nothing_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(namespace=NAMESPACE)
    with pytest.raises(UsageError, match="namespace production with all its data") as refused:
        _run(monkeypatch, cluster, consent=Consent())
    assert "--yes" in refused.value.advice
    assert cluster.done == []


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("yes", [True, False])
def test_the_command_passes_on_what_the_person_allows(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, yes: bool
) -> None:
    changes_: list[Consent] = []

    async def uninstall(*rest: object, data: bool, consent: Consent) -> StepsResult:
        changes_.append(consent)
        return StepsResult(changed=False, elapsed_s=0.0, steps=())

    monkeypatch.setattr(prompt, "on_terminal", lambda: terminal)
    monkeypatch.setattr(workflow, "uninstall", uninstall)
    command.command(environment="prod", data=True, yes=yes)
    assert changes_ == [Consent(yes, prompt.confirm if terminal else None)]


def _removed(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, *recorded: Manifest) -> str:
    """What is said of a release that has these objects; none when Helm knows of none."""

    async def fetch_record(kube: object, release: Release) -> ReleaseRecord | None:
        return record(objects=recorded) if recorded else None

    async def call(*words: object) -> None:
        return None

    monkeypatch.setattr(storage, "fetch_record", fetch_record)
    monkeypatch.setattr(helm, "call", call)
    return asyncio.run(release_uninstall.remove(cast(Kube, cluster), RELEASE, Progress())).detail


def _manifest(kind: str, name: str, *, keep: bool = False) -> Manifest:
    metadata = {"name": name, "annotations": {RESOURCE_POLICY: "keep"} if keep else {}}
    body = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return Manifest("v1", kind, name, "production", "templates/x.yaml", body)


def test_volumes_that_stay_are_named_and_those_that_go_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(
        _claim("redis"),
        _claim("of-redis", ownerReferences=[REDIS]),
        _claim("going", deletionTimestamp="2026-01-01T00:00:00Z"),
    )
    kept = _manifest("PostgresCluster", "vrooli-pg", keep=True)
    message = _removed(monkeypatch, cluster, kept, _manifest("RedisFailover", "vrooli-rf"))
    assert message == (
        "vrooli-prod was uninstalled; its data remain in PostgresCluster/vrooli-pg, "
        "PersistentVolumeClaim/redis"
    )


def test_volumes_are_named_when_the_release_was_deleted_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = _removed(monkeypatch, Cluster(_claim("redis")))
    leftovers = "there is no release vrooli-prod; its data remain in PersistentVolumeClaim/redis"
    assert message == leftovers
    assert _removed(monkeypatch, Cluster()) == "there is no release vrooli-prod"


async def test_a_new_release_finds_what_an_earlier_one_left() -> None:
    labels = {
        "app.kubernetes.io/component": "redis",
        "app.kubernetes.io/name": "vrooli-rf",
        "app.kubernetes.io/part-of": "redis-failover",
    }
    claims = _claim("data-rfr-vrooli-rf-0", labels=labels), _claim("somebodys")
    template = {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    storage = {"redis": {"storage": {"persistentVolumeClaim": template}}}
    redis = {"kind": "RedisFailover", "metadata": {"name": "vrooli-rf"}, "spec": storage}
    objects = [
        Manifest("v1", "RedisFailover", "vrooli-rf", "production", "", redis),
        Manifest("v1", "Namespace", "kept", "production", "", _keeps()),
        Manifest("v1", "Secret", "gone", "production", "", _keeps()),
        Manifest("v1", "Namespace", "others", "production", "", {"metadata": {}}),
    ]
    kube = cast(Kube, Cluster(*claims, namespace=NAMESPACE))
    leftovers = await release_uninstall.find_leftovers(kube, RELEASE, objects)
    assert leftovers == ["Namespace/kept", "PersistentVolumeClaim/data-rfr-vrooli-rf-0"]
    assert release_uninstall.format_leftovers(leftovers).startswith(
        ", with objects of an earlier release: Namespace/kept"
    )
    assert release_uninstall.format_leftovers([]) == ""


def _keeps() -> dict[str, Any]:
    """An object that the chart keeps."""
    return {"metadata": {"annotations": {RESOURCE_POLICY: "keep"}}}
