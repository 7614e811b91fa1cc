"""What is noted of the revision of a develop that ended before it was ready."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release, failure_handling, process_identity
from vrooli.release.model import Revision
from vrooli.steps import Done, Step
from vrooli.workflows import develop_run
from vrooli.workflows.options import DevelopOptions

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


class Cluster:
    """Stands for an API server with the release's Lease, and for Helm's notes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, holder: str) -> None:
        self.holder = holder
        self.newest = 1
        self.failed: dict[int, str] = {}

        async def fetch_revision(kube: object, release: Release) -> Revision:
            return Revision(self.newest, "deployed", "vrooli-1", datetime.now(UTC))

        async def mark_failed(kube: object, release: Release, now: Revision, reason: str) -> None:
            self.failed[now.number] = reason

        monkeypatch.setattr(failure_handling.storage, "fetch_revision", fetch_revision)
        monkeypatch.setattr(failure_handling.marks, "mark_failed", mark_failed)

    async def get(self, *words: str) -> dict[str, Any]:
        time = "2026-01-01T00:00:00Z"
        spec = {"holderIdentity": self.holder, "acquireTime": time, "renewTime": time}
        return {"metadata": {}, "spec": spec}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """This process holds the Lease."""
    return Cluster(monkeypatch, process_identity.name())


async def _hold(cluster: Cluster, *, made: int, cut: bool = False) -> None:
    """Run steps that make a revision, and then fail or wait for ever."""
    run = object.__new__(develop_run.DevelopRun)
    run.options = DevelopOptions(ENVIRONMENTS["dev"])
    run.cluster = cast(Any, SimpleNamespace(kubeconfig=RELEASE.kubeconfig))
    run.kube = cast(Kube, cluster)
    waits = asyncio.Event()

    async def ensure(progress: Progress) -> Done:
        cluster.newest = made
        waits.set()
        if cut:
            await asyncio.sleep(60)
        raise VrooliError("Pod/a crashes")

    task = asyncio.create_task(run.hold([Step("release", "Helm release", ensure)], silent))
    await waits.wait()
    if cut:
        task.cancel("SIGINT")
    with contextlib.suppress(VrooliError, asyncio.CancelledError):
        await task


def test_a_revision_that_did_not_become_ready_is_recorded(cluster: Cluster) -> None:
    asyncio.run(_hold(cluster, made=2))
    assert cluster.failed == {2: "Pod/a crashes"}


def test_an_interrupted_one_is_recorded(cluster: Cluster) -> None:
    asyncio.run(_hold(cluster, made=2, cut=True))
    assert cluster.failed == {2: "it was interrupted"}


def test_one_from_before_is_not_touched(cluster: Cluster) -> None:
    asyncio.run(_hold(cluster, made=1))
    assert cluster.failed == {}


def test_the_revision_of_whoever_took_the_release_over_is_not_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, "bob@elsewhere, process 7")
    asyncio.run(_hold(cluster, made=2))
    asyncio.run(_hold(cluster, made=3, cut=True))
    assert cluster.failed == {}
