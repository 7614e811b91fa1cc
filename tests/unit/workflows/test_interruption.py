"""The end of an interrupted deploy, whose prompt may be confirmed late."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import held_lease, record, unfinished_revision
from vrooli.events import Progress, silent
from vrooli.release import Release, process_identity
from vrooli.release.model import secret_name
from vrooli.release.records import metadata
from vrooli.release.records.metadata import End
from vrooli.steps import Done
from vrooli.workflows.safeguards.consent import Consent
from vrooli.workflows.safeguards.interruption import InterruptedChange

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def _interrupted(during_prompt: dict[str, Any] | None = None) -> tuple[str, bool]:
    """The message of an interrupted deploy, and whether it rolled back.

    Revision 2 is of this process, which holds the lock; ``during_prompt`` is an object that
    another deploy writes before the confirmation.
    """
    cluster = FakeCluster(
        namespace(),
        held_lease(RELEASE, process_identity.name()),
        unfinished_revision(RELEASE, 1),
        unfinished_revision(RELEASE, 2),
    )
    rollbacks: list[Progress] = []

    async def roll_back(progress: Progress) -> Done:
        rollbacks.append(progress)
        return Done(changed=True, detail="is healthy again")

    def confirm(question: str) -> bool:
        if during_prompt is not None:
            cluster.add(during_prompt)
        return True

    before = record(1).revision
    change = InterruptedChange(cluster, RELEASE, (), {}, before, roll_back, "vrooli back")
    cancelled = asyncio.CancelledError("SIGINT")
    error = asyncio.run(change.end(cancelled, silent, Consent(ask=confirm)))
    labels = cluster.body("Secret", secret_name(RELEASE.name, 2))["metadata"]["labels"]
    assert metadata.parse(labels).end is End.FAILED
    return error.message, bool(rollbacks)


def test_a_confirmation_rolls_back() -> None:
    assert _interrupted() == ("vrooli-dev is healthy again.", True)


def test_a_change_that_must_not_be_rolled_back_is_only_run_again() -> None:
    cluster = FakeCluster(namespace(), unfinished_revision(RELEASE, 2))
    change = InterruptedChange(cluster, RELEASE, (), {}, record(1).revision, None, "vrooli back")
    cancelled = asyncio.CancelledError("SIGINT")

    def confirm(question: str) -> bool:
        raise AssertionError(question)

    error = asyncio.run(change.end(cancelled, silent, Consent(ask=confirm)))
    assert error.advice == "Run the same command again: it continues where it stopped."


@pytest.mark.parametrize(("holder", "undone"), [("", 1), ("bob@elsewhere, process 7", 0)])
def test_what_was_changed_before_helm_is_undone_while_the_lock_is_held(
    holder: str, undone: int
) -> None:
    lock = held_lease(RELEASE, holder or process_identity.name())
    cluster = FakeCluster(namespace(), lock, unfinished_revision(RELEASE, 1))
    undos: list[str] = []

    async def undo() -> None:
        undos.append("undone")

    before = record(1).revision
    change = InterruptedChange(cluster, RELEASE, (), {}, before, None, "vrooli back", undo)
    error = asyncio.run(change.end(asyncio.CancelledError(), silent, Consent()))
    assert (len(undos), error.message) == (undone, f"No objects of {RELEASE} were changed.")


@pytest.mark.parametrize(
    "during_prompt",
    [held_lease(RELEASE, "bob@elsewhere, process 7"), unfinished_revision(RELEASE, 3)],
    ids=["lock", "revision"],
)
def test_a_late_confirmation_does_not_roll_back_another_deploy(
    during_prompt: dict[str, Any],
) -> None:
    message, is_rolled_back = _interrupted(during_prompt)
    assert "Another deploy of vrooli-dev in namespace dev has started since" in message
    assert not is_rolled_back
