"""What is noted of a revision beside Helm's own words."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from support.release.helm_secrets import packed, unpacked
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records import encoding, marks, metadata, storage
from vrooli.release.records.author import Author, author
from vrooli.release.records.metadata import End, Kind, Origin, RevisionMetadata

RELEASE = Release("vrooli-prod", "production", Path("kubeconfig"))
ADA = Author("ada", "laptop")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ARTIFACT = Origin.of(Kind.ARTIFACT, "1.2.3", COMMIT, modified=False)
NOTE = {"name": RELEASE.name, "info": {"description": "Upgrade complete", "status": "deployed"}}


def _labels(number: int, **changes: str) -> dict[str, str]:
    """The labels of a revision of an artifact, with Helm's own."""
    helms = {"owner": "helm", "name": RELEASE.name, "version": str(number)}
    return {**helms, **metadata.build_labels(number, ARTIFACT, ADA), **changes}


def test_what_is_written_is_read_again() -> None:
    assert metadata.parse(_labels(4)) == RevisionMetadata(ARTIFACT, "ada", "laptop", End.UNFINISHED)


def test_labels_that_helm_copied_to_a_later_revision_report_nothing_of_it() -> None:
    inherited = {**_labels(4), metadata.READY: "4", "version": "5"}
    assert metadata.parse(inherited) == RevisionMetadata()


def test_a_record_from_before_has_nothing_but_that_it_failed() -> None:
    old = {"owner": "helm", "version": "2", "vrooli.com/failed": "2"}
    assert metadata.parse(old) == RevisionMetadata(end=End.FAILED)
    assert metadata.parse({"owner": "helm", "version": "2"}) == RevisionMetadata()


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, End.UNFINISHED),
        ({metadata.READY: "4"}, End.READY),
        ({"vrooli.com/failed": "4"}, End.FAILED),
        ({metadata.READY: "3", "vrooli.com/failed": "3"}, End.UNFINISHED),
    ],
)
def test_the_end_of_a_revision(changes: dict[str, str], end: End) -> None:
    assert metadata.parse(_labels(4, **changes)).end is end


@pytest.mark.parametrize("name", ["ada", "AD\\ada", "ada lovelace@example.com", "-", "", "é" * 99])
def test_every_value_is_one_that_a_label_can_hold(name: str) -> None:
    origin = Origin.of(Kind.SOURCE, "1.2.3-" + "x" * 99, COMMIT, modified=True)
    for value in metadata.build_labels(1, origin, Author(name, name)).values():
        assert re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", value), value
        assert len(value) <= metadata.LONGEST


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTOR": "ada",
                "GITHUB_REPOSITORY": "example/vrooli",
                "GITHUB_RUN_ID": "77",
            },
            Author("ada", "github-actions-example/vrooli-run-77"),
        ),
        (
            {
                "GITLAB_CI": "true",
                "GITLAB_USER_LOGIN": "ada",
                "CI_PROJECT_PATH": "example/vrooli",
                "CI_JOB_ID": "78",
            },
            Author("ada", "gitlab-ci-example/vrooli-job-78"),
        ),
    ],
)
def test_a_run_of_a_pipeline_is_named(variables: dict[str, str], expected: Author) -> None:
    assert author(variables) == expected


def test_of_a_person_who_became_root_the_login_name_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    assert author({"SUDO_USER": "ada"}) == ADA


class Cluster:
    """Stands for an API server that keeps one Secret of Helm's, and no other."""

    def __init__(self, labels: dict[str, str], record_: Any) -> None:
        self.secret: dict[str, Any] = {
            "metadata": {"name": f"sh.helm.release.v1.{RELEASE.name}.v4", "labels": labels},
            "data": {"release": record_ if isinstance(record_, str) else packed(record_)},
        }

    async def list(self, *words: str, names_only: bool = False) -> list[dict[str, Any]]:
        assert words[:3] == ("v1", "Secret", RELEASE.namespace)
        return [self.secret]

    async def get(self, *words: str) -> dict[str, Any]:
        assert words[2] == self.secret["metadata"]["name"]
        return self.secret

    async def patch(self, *words: Any) -> None:
        assert words[2] == self.secret["metadata"]["name"]
        change = words[4]
        labels = {**self.secret["metadata"]["labels"], **change["metadata"]["labels"]}
        retained = {name: value for name, value in labels.items() if value is not None}
        self.secret["metadata"]["labels"] = retained
        self.secret["data"].update(change.get("data", {}))


def _failed(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, status: str = "deployed"
) -> dict[str, str]:
    """The labels after the revision's failure was noted."""

    async def redactor(kube: object, namespace: str) -> Redactor:
        return Redactor(["sesame-street"])

    monkeypatch.setattr(marks.secret_redaction, "redactor", redactor)
    revision = Revision(4, status, "vrooli-1", datetime.now(UTC))
    reason = "The release can't become ready:\n  Pod/a: sesame-street"
    asyncio.run(marks.mark_failed(cast(Kube, cluster), RELEASE, revision, reason))
    labels: dict[str, str] = cluster.secret["metadata"]["labels"]
    return labels


def test_why_one_failed_takes_the_place_of_helms_complete_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(_labels(4), NOTE)
    assert metadata.parse(_failed(monkeypatch, cluster)).end is End.FAILED
    record_ = unpacked(cluster.secret)
    text = record_["info"]["description"]
    assert text.startswith("it did not become ready: The release can't become ready: Pod/a: ")
    assert "sesame" not in text
    assert {**record_, "info": {**record_["info"], "description": "Upgrade complete"}} == NOTE
    (result,) = asyncio.run(storage.fetch_records(cast(Kube, cluster), RELEASE))
    assert result.revision.description == text


def test_of_a_rollback_that_failed_it_is_still_reported_where_it_rolled_back_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(_labels(4), {"info": {"description": "Rollback to 2"}})
    _failed(monkeypatch, cluster)
    text = unpacked(cluster.secret)["info"]["description"]
    assert text.startswith("Rollback to 2; it did not become ready: ")


def test_helms_own_words_of_a_failure_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(_labels(4), NOTE)
    _failed(monkeypatch, cluster, "failed")
    assert unpacked(cluster.secret) == NOTE


def test_a_record_that_can_not_be_read_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(_labels(4), "rubbish")
    assert metadata.parse(_failed(monkeypatch, cluster)).end is End.FAILED
    assert cluster.secret["data"] == {"release": "rubbish"}
    assert asyncio.run(storage.fetch_records(cast(Kube, cluster), RELEASE)) == []


def test_one_that_becomes_ready_later_did_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(_labels(4), NOTE)
    _failed(monkeypatch, cluster)
    asyncio.run(marks.mark_ready(cast(Kube, cluster), RELEASE, 4))
    assert metadata.parse(cluster.secret["metadata"]["labels"]).end is End.READY


def test_one_that_another_tool_made_is_not_touched() -> None:
    cluster = Cluster({"owner": "helm", "version": "4"}, NOTE)
    before = dict(cluster.secret["metadata"]["labels"])
    asyncio.run(marks.mark_ready(cast(Kube, cluster), RELEASE, 4))
    assert cluster.secret["metadata"]["labels"] == before


def test_rolling_back_records_who_did_it_and_what_it_was_built_from() -> None:
    cluster = Cluster({**_labels(2), "version": "4"}, NOTE)
    to = RevisionMetadata(ARTIFACT, "bob", "elsewhere", End.READY)
    asyncio.run(marks.mark_rollback(cast(Kube, cluster), RELEASE, 4, to))
    result = metadata.parse(cluster.secret["metadata"]["labels"])
    assert (result.origin, result.end) == (ARTIFACT, End.UNFINISHED)
    assert result.by not in ("", "bob")


def test_packing_is_the_reverse_of_unpacking() -> None:
    assert encoding.unpack(encoding.pack(NOTE)) == NOTE
