"""The end of a rollback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster
from support.release.records import record
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import silent
from vrooli.release import Release
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.workflows.deploys import rollback
from vrooli.workflows.deploys.rollback import RollbackOptions
from vrooli.workflows.safeguards.consent import CONFIRMED

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def _run(end: End = End.READY) -> rollback._Run:
    """A rollback from revision 3 to 2 without differences, to a server that is not ready."""
    cluster = FakeCluster()
    cluster.server.is_healthy = False
    return rollback._Run(
        RollbackOptions(ENVIRONMENTS["dev"]),
        cast(Any, SimpleNamespace(kube=cluster)),
        RELEASE,
        record(2, stored=RevisionMetadata(end=end)),
        record(3),
    )


def test_a_cluster_that_stops_during_a_rollback_is_no_failure_of_the_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def held(*words: object) -> AsyncIterator[None]:
        yield

    async def roll_back(*words: object, **more: object) -> None:
        raise VrooliError("Helm could not roll back: connection refused")

    monkeypatch.setattr(rollback.lease, "hold", held)
    monkeypatch.setattr(rollback.reverting, "roll_back", roll_back)
    with pytest.raises(PrerequisiteError) as ended:
        asyncio.run(_run().act(silent, CONFIRMED))
    assert ended.value.message.startswith("The API server stopped responding during the rollback: ")
    assert "continues where it stopped" in ended.value.advice


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (End.READY, ""),
        (End.UNKNOWN, ""),
        (End.FAILED, ", which did not become ready when it was deployed"),
        (End.UNFINISHED, ", which never became ready"),
    ],
)
def test_the_confirmation_reports_that_a_revision_never_became_ready(end: End, reason: str) -> None:
    run = _run(end)
    expected = f"roll vrooli-dev in namespace dev back to revision 2{reason}: nothing differs"
    assert run.change == expected
