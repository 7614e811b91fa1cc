"""The metadata of a revision beside Helm's own record."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.helm_secrets import packed, unpacked
from vrooli.release import Release
from vrooli.release.model import Revision, secret_name
from vrooli.release.records import encoding, marks, metadata, storage
from vrooli.release.records.author import Author, author
from vrooli.release.records.metadata import End, Kind, Origin, RevisionMetadata

RELEASE = Release("vrooli-prod", "production", Path("kubeconfig"))
RECORD = secret_name(RELEASE.name, 4)
ADA = Author("ada", "laptop")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ARTIFACT = Origin.of(Kind.ARTIFACT, "1.2.3", COMMIT, modified=False)
CONTENT = {"name": RELEASE.name, "info": {"description": "Upgrade complete", "status": "deployed"}}


def _labels(number: int, **changes: str) -> dict[str, str]:
    """The labels of a revision of an artifact, with Helm's own."""
    own = {"owner": "helm", "name": RELEASE.name, "version": str(number)}
    return {**own, **metadata.build_labels(number, ARTIFACT, ADA), **changes}


def test_written_labels_are_parsed() -> None:
    assert metadata.parse(_labels(4)) == RevisionMetadata(ARTIFACT, "ada", "laptop", End.UNFINISHED)


def test_labels_that_helm_copied_to_a_later_revision_are_ignored() -> None:
    inherited = {**_labels(4), metadata.READY: "4", "version": "5"}
    assert metadata.parse(inherited) == RevisionMetadata()


def test_a_record_of_an_earlier_version_only_has_its_failure() -> None:
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
def test_every_value_is_a_valid_label_value(name: str) -> None:
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


def test_the_login_name_of_a_person_who_became_root_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    assert author({"SUDO_USER": "ada"}) == ADA


def _cluster(labels: dict[str, str], content: Any) -> FakeCluster:
    """A cluster with Helm's record of revision 4, and a Secret whose value is to be hidden."""
    record = {
        "kind": "Secret",
        "type": storage.TYPE,
        "metadata": {"name": RECORD, "labels": labels},
        "data": {"release": content if isinstance(content, str) else packed(content)},
    }
    password = base64.b64encode(b"sesame-street").decode()
    secret = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": password}}
    place = RELEASE.namespace
    return FakeCluster(namespace(place), record, secret, namespace=place)


def _content(cluster: FakeCluster) -> dict[str, Any]:
    return unpacked(cluster.body("Secret", RECORD))


def _stored(cluster: FakeCluster) -> RevisionMetadata:
    return metadata.parse(cluster.body("Secret", RECORD)["metadata"]["labels"])


async def _mark_failed(cluster: FakeCluster, status: str = "deployed") -> None:
    revision = Revision(4, status, "vrooli-1", datetime.now(UTC))
    reason = "The release can't become ready:\n  Pod/a: sesame-street"
    await marks.mark_failed(cluster, RELEASE, revision, reason)


async def test_the_reason_of_a_failure_replaces_the_description_of_helm_without_secrets() -> None:
    cluster = _cluster(_labels(4), CONTENT)
    await _mark_failed(cluster)
    assert _stored(cluster).end is End.FAILED
    content = _content(cluster)
    text = content["info"]["description"]
    assert text.startswith("it did not become ready: The release can't become ready: Pod/a: ")
    assert "sesame" not in text
    info = {**content["info"], "description": "Upgrade complete"}
    assert {**content, "info": info} == CONTENT
    (record,) = await storage.fetch_records(cluster, RELEASE)
    assert record.revision.description == text


async def test_a_failed_rollback_still_reports_its_target() -> None:
    cluster = _cluster(_labels(4), {"info": {"description": "Rollback to 2"}})
    await _mark_failed(cluster)
    text = _content(cluster)["info"]["description"]
    assert text.startswith("Rollback to 2; it did not become ready: ")


async def test_the_description_of_a_failure_by_helm_stays() -> None:
    cluster = _cluster(_labels(4), CONTENT)
    await _mark_failed(cluster, "failed")
    assert _content(cluster) == CONTENT


async def test_an_unreadable_record_stays_as_it_is() -> None:
    cluster = _cluster(_labels(4), "rubbish")
    await _mark_failed(cluster)
    assert _stored(cluster).end is End.FAILED
    assert cluster.body("Secret", RECORD)["data"] == {"release": "rubbish"}
    assert await storage.fetch_records(cluster, RELEASE) == []


async def test_a_revision_that_becomes_ready_later_did_not_fail() -> None:
    cluster = _cluster(_labels(4), CONTENT)
    await _mark_failed(cluster)
    await marks.mark_ready(cluster, RELEASE, 4)
    assert _stored(cluster).end is End.READY


async def test_a_revision_of_another_tool_is_not_changed() -> None:
    labels = {"owner": "helm", "name": RELEASE.name, "version": "4"}
    cluster = _cluster(labels, CONTENT)
    await marks.mark_ready(cluster, RELEASE, 4)
    assert cluster.changes == []


async def test_a_rollback_records_its_author_and_the_origin_of_its_target() -> None:
    cluster = _cluster({**_labels(2), "version": "4"}, CONTENT)
    target = RevisionMetadata(ARTIFACT, "bob", "elsewhere", End.READY)
    await marks.mark_rollback(cluster, RELEASE, 4, target)
    result = _stored(cluster)
    assert (result.origin, result.end) == (ARTIFACT, End.UNFINISHED)
    assert result.by not in ("", "bob")


def test_packing_is_the_reverse_of_unpacking() -> None:
    assert encoding.unpack(encoding.pack(CONTENT)) == CONTENT
