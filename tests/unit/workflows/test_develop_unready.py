"""The mark of a revision whose develop ended before it was ready."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import held_lease, unfinished_revision
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import Progress, silent
from vrooli.release import Release, process_identity
from vrooli.release.records import storage
from vrooli.release.records.metadata import End
from vrooli.steps import Done, Step
from vrooli.workflows.development import run as develop_run
from vrooli.workflows.options import DevelopOptions

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def _cluster(holder: str) -> FakeCluster:
    """A cluster with revision 1."""
    return FakeCluster(namespace(), held_lease(RELEASE, holder), unfinished_revision(RELEASE, 1))


def _failures(cluster: FakeCluster) -> dict[int, str]:
    """The revisions that are marked as failed, with Helm's descriptions."""
    records = asyncio.run(storage.fetch_records(cluster, RELEASE))
    return {
        item.revision.number: item.revision.description
        for item in records
        if item.metadata.end is End.FAILED
    }


async def _hold(cluster: FakeCluster, *, revision: int, interrupt: bool = False) -> None:
    """Run steps that store a revision, and then fail or are interrupted."""
    run = object.__new__(develop_run.DevelopRun)
    run.options = DevelopOptions(ENVIRONMENTS["dev"])
    run.cluster = cast(Any, SimpleNamespace(kubeconfig=RELEASE.kubeconfig))
    run.kube = cluster
    stored = asyncio.Event()

    async def ensure(progress: Progress) -> Done:
        if revision > 1:
            cluster.add(unfinished_revision(RELEASE, revision))
        stored.set()
        if interrupt:
            await asyncio.Event().wait()
        raise VrooliError("Pod/a crashes")

    task = asyncio.create_task(run.hold([Step("release", "Helm release", ensure)], silent))
    await stored.wait()
    if interrupt:
        task.cancel("SIGINT")
    with contextlib.suppress(VrooliError, asyncio.CancelledError):
        await task


def test_a_revision_that_did_not_become_ready_is_marked() -> None:
    cluster = _cluster(process_identity.name())
    asyncio.run(_hold(cluster, revision=2))
    assert _failures(cluster) == {2: "it did not become ready: Pod/a crashes"}


def test_an_interrupted_revision_is_marked() -> None:
    cluster = _cluster(process_identity.name())
    asyncio.run(_hold(cluster, revision=2, interrupt=True))
    assert _failures(cluster) == {2: "it did not become ready: it was interrupted"}


def test_an_earlier_revision_is_not_marked() -> None:
    cluster = _cluster(process_identity.name())
    asyncio.run(_hold(cluster, revision=1))
    assert _failures(cluster) == {}


def test_a_revision_of_another_holder_of_the_lock_is_not_marked() -> None:
    cluster = _cluster("bob@elsewhere, process 7")
    asyncio.run(_hold(cluster, revision=2))
    asyncio.run(_hold(cluster, revision=3, interrupt=True))
    assert _failures(cluster) == {}
