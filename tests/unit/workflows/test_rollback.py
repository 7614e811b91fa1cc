"""A rollback: what it ends with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.release.records import record
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import silent
from vrooli.release import Release
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.workflows import rollback
from vrooli.workflows.rollback import RollbackOptions
from vrooli.workflows.safeguards.consent import CONFIRMED

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


class UnreachableCluster:
    """Stands for an API server that went away."""

    async def healthy(self) -> bool:
        return False


def _run(end: End = End.READY) -> rollback._Run:
    """From revision 3 back to 2, of which nothing differs."""
    return rollback._Run(
        RollbackOptions(ENVIRONMENTS["dev"]),
        cast(Any, SimpleNamespace(kube=UnreachableCluster())),
        RELEASE,
        record(2, stored=RevisionMetadata(end=end)),
        record(3),
    )


def test_a_cluster_that_disappears_in_the_middle_is_no_failure_of_the_release(
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
    ("end", "said"),
    [
        (End.READY, ""),
        (End.UNKNOWN, ""),
        (End.FAILED, ", which did not become ready when it was deployed"),
        (End.UNFINISHED, ", which never became ready"),
    ],
)
def test_the_question_reports_of_a_revision_that_it_never_worked(end: End, said: str) -> None:
    run = _run(end)
    expected = f"roll vrooli-dev in namespace dev back to revision 2{said}: nothing differs"
    assert run.change == expected
