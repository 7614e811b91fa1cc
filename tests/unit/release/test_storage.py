"""Helm's records are read from its Secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release import helm_secrets
from vrooli.errors import PrerequisiteError
from vrooli.release.model import Release, secret_name
from vrooli.release.records import storage

MANIFEST = "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n"
HOOK = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n"


def helm_secret(version: int, status: str, release: str = "vrooli-dev") -> dict[str, Any]:
    """A Secret as Helm writes it."""
    record = {
        "name": release,
        "version": version,
        "info": {
            "status": status,
            "description": "Install complete",
            "last_deployed": "2026-06-01T12:00:00.123456789Z",
        },
        "chart": {
            "metadata": {"name": "vrooli", "version": "0.1.0"},
            "values": {"a": {"b": 1, "c": 2}},
        },
        "config": {"a": {"c": version}},
        "manifest": f"---\n{MANIFEST}",
        "hooks": [{"manifest": HOOK}],
    }
    return {
        "kind": "Secret",
        "metadata": {"name": f"sh.helm.{release}.{version}", "labels": {"name": release}},
        "type": storage.TYPE,
        "data": {"release": helm_secrets.packed(record)},
    }


def test_records_of_a_release_are_parsed_oldest_first() -> None:
    records = storage.parse_records(
        [
            helm_secret(10, "deployed"),
            helm_secret(9, "superseded"),
            helm_secret(1, "deployed", "other"),
        ],
        "vrooli-dev",
        "dev",
    )
    assert [(item.revision.number, item.revision.status) for item in records] == [
        (9, "superseded"),
        (10, "deployed"),
    ]
    assert records[-1].revision.chart == "vrooli-0.1.0"
    assert records[-1].revision.deployed_at == datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_the_newest_record_has_the_values_that_applied() -> None:
    secrets = [helm_secret(10, "deployed"), helm_secret(9, "superseded")]
    older, newest = storage.parse_records(secrets, "vrooli-dev", "dev")
    assert newest.values == {"a": {"b": 1, "c": 10}}
    assert older.values == {}


def test_objects_include_hooks() -> None:
    (record,) = storage.parse_records([helm_secret(1, "deployed")], "vrooli-dev", "dev")
    assert [(item.key, item.is_hook) for item in record.manifests] == [
        ("Service/x", False),
        ("Pod/t", True),
    ]


def test_other_secrets_are_ignored() -> None:
    other = {"metadata": {"name": "x", "labels": {"name": "vrooli-dev"}}, "type": "Opaque"}
    assert storage.parse_records([other], "vrooli-dev", "dev") == []


def test_an_unreadable_record_has_the_status_and_number_of_its_labels() -> None:
    secret = helm_secret(3, "deployed")
    secret["metadata"]["labels"] |= {"status": "failed", "version": "3"}
    secret["data"]["release"] = "bm90IGd6aXA="
    (item,) = storage.parse_records([secret], "vrooli-dev", "dev")
    assert (item.revision.status, item.revision.number) == ("failed", 3)
    assert item.error.startswith("it can't be read")


def test_only_the_newest_record_has_objects() -> None:
    old, new = storage.parse_records(
        [helm_secret(1, "superseded"), helm_secret(2, "deployed")], "vrooli-dev", "dev"
    )
    assert (len(old.documents), len(new.documents)) == (0, 2)


def _secret(number: int, status: str, *, readable: bool = True) -> dict[str, Any]:
    secret = helm_secret(number, status, "r")
    labels = {"owner": "helm", "name": "r", "version": str(number), "status": status}
    secret["metadata"] = {"name": secret_name("r", number), "labels": labels}
    if not readable:
        secret["data"]["release"] = "bm90IGd6aXA="
    return secret


RELEASE = Release("r", "dev", Path("kubeconfig"))


async def test_only_the_newest_record_is_read_for_a_release() -> None:
    cluster = FakeCluster(_secret(9, "superseded"), _secret(10, "deployed"))
    record = await storage.fetch_record(cluster, RELEASE)
    assert record is not None
    assert (record.revision.number, record.revision.status) == (10, "deployed")
    assert [item.name for item in cluster.requests if item.verb == "get"] == [secret_name("r", 10)]


async def test_an_unreadable_record_is_skipped_as_helm_does() -> None:
    cluster = FakeCluster(_secret(1, "superseded"), _secret(2, "failed", readable=False))
    record = await storage.fetch_record(cluster, RELEASE)
    assert record is not None
    assert record.revision.number == 1
    (only,) = await storage.fetch_records(cluster, RELEASE)
    assert only.revision.number == 1


async def test_a_release_without_records_does_not_exist() -> None:
    another = helm_secret(1, "deployed", "another")
    cluster = FakeCluster(another)
    assert await storage.fetch_record(cluster, RELEASE) is None
    assert await storage.fetch_manifests(cluster, RELEASE) == ()


async def test_a_changed_status_makes_a_record_outdated() -> None:
    cluster = FakeCluster(_secret(1, "deployed"))
    record = await storage.fetch_record(cluster, RELEASE)
    assert record is not None
    assert await storage.is_newest(cluster, RELEASE, record)
    cluster.add(_secret(1, "superseded"), _secret(2, "deployed"))
    assert not await storage.is_newest(cluster, RELEASE, record)


async def test_a_missing_permission_names_the_records() -> None:
    cluster = FakeCluster(_secret(1, "deployed"))
    cluster.failures.forbid("list", "Secret")
    with pytest.raises(PrerequisiteError, match="may not read Helm's records of r in namespace"):
        await storage.fetch_record(cluster, RELEASE)
