"""A release that is healthy stays so when its bookkeeping fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_failures import NEVER
from support.release.records import helm_secret, record
from vrooli.chart.engine import Rendering
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.release import Release, overrides
from vrooli.release.apply import Applied
from vrooli.release.model import secret_name
from vrooli.release.overrides import Overrides
from vrooli.release.records import bookkeeping
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.release.rollout import context
from vrooli.steps import Done
from vrooli.workflows.deploys import change
from vrooli.workflows.deploys import run as deploy_run
from vrooli.workflows.options import DeployOptions

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HEALTHY = Done(changed=True, detail="all of it is ready")


def _cluster() -> FakeCluster:
    """A cluster with Helm's record of revision 1, which no deploy has marked yet."""
    stored = RevisionMetadata(end=End.UNFINISHED)
    return FakeCluster(namespace(), helm_secret(RELEASE, record(1, stored=stored)))


def _failing(status: int, times: int | None = None) -> FakeCluster:
    """A cluster in which changes of Secrets fail."""
    cluster = _cluster()
    cluster.failures.add("patch", "Secret", status, "the server\nis busy", times=times)
    return cluster


async def _record_healthy(cluster: FakeCluster) -> Done:
    return await bookkeeping.record_healthy(cluster, RELEASE, HEALTHY, 1)


def _patches(cluster: FakeCluster) -> int:
    return sum(verb == "patch" for verb, _, _ in cluster.changes)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "PAUSES_S", (0.0, 0.0))


async def test_an_error_that_passes_is_not_reported() -> None:
    cluster = _failing(429, times=2)
    assert await _record_healthy(cluster) == HEALTHY
    labels = cluster.body("Secret", secret_name(RELEASE.name, 1))["metadata"]["labels"]
    assert labels["vrooli.com/ready"] == "1"
    assert _patches(cluster) == 3


async def test_an_error_that_stays_is_reported_and_does_not_fail_the_release() -> None:
    done = await _record_healthy(_failing(429))
    assert done.changed
    assert done.detail == (
        "all of it is ready; could not be marked as ready: The API server refused to change "
        f"Secret {secret_name(RELEASE.name, 1)}: the server is busy"
    )


async def test_a_request_without_permission_is_not_retried() -> None:
    cluster = _failing(403)
    assert "the server is busy" in (await _record_healthy(cluster)).detail
    assert _patches(cluster) == 1


async def test_a_deploy_does_not_wait_for_a_server_that_never_responds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bookkeeping, "LIMIT_S", 0.05)
    cluster = _cluster()
    for number in range(2, 14):
        stored = RevisionMetadata(end=End.READY)
        cluster.add(helm_secret(RELEASE, record(number, "superseded", stored=stored)))
    cluster.failures.add("delete", "Secret", NEVER)
    detail = (await _record_healthy(cluster)).detail
    assert "old revisions could not be deleted: no answer within" in detail


@pytest.mark.parametrize(
    ("discard", "problem"), [(True, "could not be removed"), (False, "could not be updated")]
)
async def test_overrides_that_cannot_be_stored_do_not_fail_a_healthy_release(
    monkeypatch: pytest.MonkeyPatch, discard: bool, problem: str
) -> None:
    cluster = _cluster()
    stored = await overrides.set_values(cluster, RELEASE, {"replicaCount.ui": 5}, "x", {})
    for verb in ("delete", "update"):
        cluster.failures.add(verb, "ConfigMap", 409, "the server is busy")
    done = await _follow(monkeypatch, cluster, stored, discard=discard)
    assert f"its overrides {problem}: " in done.detail


async def test_a_healthy_deploy_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    done = await _follow(monkeypatch, _failing(429), overrides.NONE)
    assert "could not be marked as ready" in done.detail


async def _follow(
    monkeypatch: pytest.MonkeyPatch, kube: FakeCluster, stored: Overrides, *, discard: bool = False
) -> Done:
    """Follow a healthy release at the end of a deploy with these overrides."""

    async def until_ready(*words: object, **more: object) -> Done:
        return HEALTHY

    monkeypatch.setattr(change.wait, "until_ready", until_ready)
    run = object.__new__(deploy_run.DeployRun)
    run.options = DeployOptions(ENVIRONMENTS["dev"], discard_overrides=discard)
    cluster = SimpleNamespace(kubeconfig=RELEASE.kubeconfig)
    run.reached = cast(Any, SimpleNamespace(kube=kube, cluster=cluster))
    run.rendering = Rendering({}, "dev")
    run.applied, run.began = Applied(changed=True, revision=1), context.EPOCH
    run.overrides, run.base = stored, {"replicaCount": {"ui": 3}}
    return await run.follow(Progress())
