"""develop over a release that is there: what needs a yes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from support.release.records import record
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records.metadata import End, Kind, Origin, RevisionMetadata
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done, Step
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import develop
from vrooli.workflows.safeguards import replacement
from vrooli.workflows.safeguards.consent import Consent

ARTIFACT = RevisionMetadata(Origin(Kind.ARTIFACT, "1.2.3", "abc"), "ada", "laptop", End.READY)
SOURCE = RevisionMetadata(Origin(Kind.SOURCE, "0.1.0", "abc"), "ada", "laptop", End.READY)


def _demand(
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    its: RevisionMetadata | None,
    consent: Consent,
) -> None:
    """Demand a yes for a release with such a record, or where there is none."""
    where = ENVIRONMENTS[environment]

    async def fetch_record(kube: object, release: Release) -> ReleaseRecord | None:
        return record(3, stored=its) if its else None

    async def fetch_revision(kube: object, release: Release) -> Revision | None:
        return record(3).revision if its else None

    monkeypatch.setattr(replacement.storage, "fetch_record", fetch_record)
    monkeypatch.setattr(replacement.storage, "fetch_revision", fetch_revision)
    release = Release.of(where, Path("kubeconfig"))
    asyncio.run(replacement.demand(cast(Kube, None), release, where, consent))


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_a_release_that_came_from_an_artifact_is_not_replaced_unconfirmed(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    with pytest.raises(UsageError, match=r"version 1\.2\.3, which was deployed from an artifact"):
        _demand(monkeypatch, environment, ARTIFACT, Consent())
    _demand(monkeypatch, environment, ARTIFACT, Consent(yes=True))


def test_a_release_whose_origin_is_not_recorded_is_not_replaced_unconfirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=r"whose origin is unknown"):
        _demand(monkeypatch, "dev", RevisionMetadata(), Consent())
    _demand(monkeypatch, "dev", RevisionMetadata(), Consent(yes=True))


def _resync(
    monkeypatch: pytest.MonkeyPatch, its: RevisionMetadata, agreed: int, *, yes: bool
) -> None:
    """Look again under the Lease, where revision 3 has such a record."""
    _demand(monkeypatch, "dev", its, Consent(yes=True))
    where = ENVIRONMENTS["dev"]
    release = Release.of(where, Path("kubeconfig"))
    doing = replacement.check_again(cast(Kube, None), release, where, Consent(yes=yes), agreed)
    asyncio.run(doing)


def test_an_artifact_that_was_deployed_meanwhile_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PrerequisiteError, match="Another deploy of vrooli-dev finished"):
        _resync(monkeypatch, ARTIFACT, 2, yes=False)


@pytest.mark.parametrize(
    ("its", "agreed", "yes"),
    [(ARTIFACT, 3, False), (ARTIFACT, 2, True), (SOURCE, 2, False)],
)
def test_what_was_agreed_to_or_requires_no_yes_continues(
    monkeypatch: pytest.MonkeyPatch, its: RevisionMetadata, agreed: int, yes: bool
) -> None:
    _resync(monkeypatch, its, agreed, yes=yes)


@pytest.mark.parametrize("its", [None, SOURCE])
def test_ones_own_development_continues(
    monkeypatch: pytest.MonkeyPatch, its: RevisionMetadata | None
) -> None:
    _demand(monkeypatch, "dev", its, Consent())


@pytest.mark.parametrize(
    ("its", "made"),
    [(SOURCE, ""), (RevisionMetadata(), ", whose origin is unknown,")],
)
def test_what_other_users_use_is_prompted_for(
    monkeypatch: pytest.MonkeyPatch, its: RevisionMetadata, made: str
) -> None:
    questions: list[str] = []
    with pytest.raises(InterruptError):
        _demand(monkeypatch, "staging", its, Consent(ask=cast(Any, questions.append)))
    (question,) = questions
    assert question.startswith(f"Replace vrooli-staging in namespace staging{made} by a release")


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_a_first_release_of_what_other_users_use_is_prompted_for(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    where = ENVIRONMENTS[environment]
    with pytest.raises(UsageError, match=f"install {where.release} in namespace {where.namespace}"):
        _demand(monkeypatch, environment, None, Consent())
    _demand(monkeypatch, environment, None, Consent(yes=True))


def test_a_first_release_of_development_requires_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    _demand(monkeypatch, "dev", None, Consent())


def test_a_cluster_that_is_stopped_is_started_before_anybody_is_prompted() -> None:
    async def ensure(progress: object) -> Done:
        return Done(changed=False)

    steps = [
        Step("packages", "Packages", ensure),
        Step("cluster", "Kubernetes", ensure, ("packages",)),
        Step("images", "Images", ensure, ("packages",)),
        Step("load", "Load", ensure, ("cluster", "images")),
    ]
    first = develop._closure(steps, ["cluster"])
    assert first == {"packages", "cluster"}
    rest = develop._after(steps, first)
    assert [(step.name, step.after) for step in rest] == [("images", ()), ("load", ("images",))]


def test_whoever_has_reported_yes_is_not_searched() -> None:
    choice = Choice("context", "nowhere")
    doing = replacement.demand_early(choice, ENVIRONMENTS["prod"], Consent(yes=True))
    assert asyncio.run(doing) == replacement.NONE


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_that_is_not_there_holds_no_release() -> None:
    choice = Choice("embedded", "none")
    doing = replacement.demand_early(choice, ENVIRONMENTS["dev"], Consent())
    assert asyncio.run(doing) == replacement.NONE


@pytest.mark.usefixtures("state_dir")
def test_production_on_a_cluster_that_is_not_there_is_refused_before_the_cluster_is_created() -> (
    None
):
    choice = Choice("embedded", "none")
    doing = replacement.demand_early(choice, ENVIRONMENTS["prod"], Consent())
    with pytest.raises(UsageError, match="create cluster embedded:none and install vrooli-prod"):
        asyncio.run(doing)
