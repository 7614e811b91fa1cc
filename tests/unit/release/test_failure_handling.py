"""The end of a deploy that can't succeed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from support.release.records import record
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release, failure_handling
from vrooli.release.failure_handling import DeployFailedError, Failed, FailureReport
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.uninstall import Removed
from vrooli.steps import Done

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
PLACE = Path("report.tar.gz")


async def saves(why: str) -> FailureReport:
    return FailureReport(PLACE, why, ("Deployment/a: crashes.",))


async def refuses(why: str) -> FailureReport:
    raise PrerequisiteError("the disk is full")


async def breaks(why: str) -> FailureReport:
    raise RuntimeError("a fault of ours")


async def never_ends(why: str) -> FailureReport:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.fixture
def kept() -> list[str]:
    """What stays of a release that is taken away."""
    return []


@pytest.fixture(autouse=True)
def pruned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The releases whose old revisions were deleted."""
    result: list[str] = []

    async def prune(kube: Kube, release: Release) -> str:
        result.append(release.name)
        return ""

    monkeypatch.setattr(failure_handling.bookkeeping, "prune", prune)
    return result


@pytest.fixture(autouse=True)
def no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm has no record of the release."""

    async def fetch_revision(kube: Kube, release: Release) -> None:
        return None

    monkeypatch.setattr(failure_handling.storage, "fetch_revision", fetch_revision)


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch, kept: list[str]) -> list[str]:
    """The releases that were taken away: a first installation that failed is."""
    result: list[str] = []

    async def remove(kube: Kube, release: Release, progress: object) -> Removed:
        result.append(release.name)
        return Removed(changed=True, retained=tuple(kept))

    monkeypatch.setattr(failure_handling.uninstall, "remove", remove)
    return result


async def _report(keep: Any, *, rollback: bool = True) -> str:
    error = PrerequisiteError("it isn't ready")
    failed = Failed(cast("Kube", None), RELEASE, (), None, error, keep)
    with pytest.raises(DeployFailedError) as ended:
        await failed.end(silent, rollback=rollback)
    return ended.value.message


@pytest.mark.anyio
async def test_why_it_failed_what_was_done_and_the_cause_are_reported(removed: list[str]) -> None:
    assert (await _report(saves)).splitlines() == [
        "it isn't ready",
        "vrooli-dev did not exist before and was uninstalled again.",
        "The evidence is in report.tar.gz.",
        "Root cause: Deployment/a: crashes.",
    ]
    assert removed == ["vrooli-dev"]


@pytest.mark.anyio
@pytest.mark.parametrize("keep", [refuses, breaks, never_ends])
async def test_evidence_that_cannot_be_kept_retains_nobody_from_rolling_back(
    removed: list[str], keep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_handling, "REPORT_S", 0.05)
    assert "was uninstalled again" in await _report(keep)
    assert removed == ["vrooli-dev"]


@pytest.mark.anyio
async def test_what_stays_of_a_first_installation_is_reported_with_what_becomes_of_it(
    removed: list[str], kept: list[str]
) -> None:
    kept += ["PostgresCluster/vrooli-pg", "PersistentVolumeClaim/vrooli-pg-data"]
    assert (
        "vrooli-dev did not exist before and was uninstalled again, except for "
        "PostgresCluster/vrooli-pg, PersistentVolumeClaim/vrooli-pg-data: the next deploy uses "
        "them again, `vrooli uninstall --delete-data` deletes them." in await _report(saves)
    )
    assert removed == ["vrooli-dev"]


@pytest.mark.anyio
@pytest.mark.parametrize(("to_before", "restored"), [(False, 1), (True, 2)])
async def test_a_change_of_values_restores_the_revision_before_even_if_it_was_not_ready(
    monkeypatch: pytest.MonkeyPatch, to_before: bool, restored: int
) -> None:
    ends = {1: End.READY, 2: End.FAILED, 3: End.UNFINISHED}
    records = [
        record(number, "superseded", stored=RevisionMetadata(end=end))
        for number, end in ends.items()
    ]
    targets: list[int] = []

    async def fetch_records(*words: object) -> list[ReleaseRecord]:
        return records

    async def roll_back(*words: Any) -> None:
        targets.append(words[2].revision.number)

    async def nothing(*words: Any, **more: object) -> Any:
        return words[-1] if isinstance(words[-1], Done) else ()

    monkeypatch.setattr(failure_handling.storage, "fetch_records", fetch_records)
    monkeypatch.setattr(failure_handling.storage, "fetch_manifests", nothing)
    monkeypatch.setattr(failure_handling.rollback, "roll_back", roll_back)
    monkeypatch.setattr(failure_handling.pending, "delete_leftovers", nothing)
    monkeypatch.setattr(failure_handling.wait, "until_ready", nothing)
    monkeypatch.setattr(failure_handling.bookkeeping, "record_healthy", nothing)
    error, before = PrerequisiteError("it isn't ready"), records[1].revision
    kube = cast("Kube", None)
    failed = Failed(kube, RELEASE, (), before, error, saves, to_before=to_before)
    await failed.roll_back(Progress())
    assert targets == [restored]


@pytest.mark.anyio
async def test_without_rollback_it_is_unchanged(removed: list[str], pruned: list[str]) -> None:
    assert "vrooli-dev is left as it is." in await _report(saves, rollback=False)
    assert removed == []
    assert pruned == ["vrooli-dev"]  # failed revisions would pile up
