"""Helm's records are read from its Secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from support import notes
from vrooli.release.records import storage

MANIFEST = "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n"
HOOK = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n"


def noted(version: int, status: str, release: str = "vrooli-dev") -> dict[str, Any]:
    """A Secret as Helm writes it."""
    note = {
        "name": release,
        "version": version,
        "info": {
            "status": status,
            "description": "said",
            "last_deployed": "2026-06-01T12:00:00.123456789Z",
        },
        "chart": {"metadata": {"name": "vrooli", "version": "0.1.0"}},
        "manifest": f"---\n{MANIFEST}",
        "hooks": [{"manifest": HOOK}],
    }
    return {
        "metadata": {"name": f"sh.helm.{release}.{version}", "labels": {"name": release}},
        "type": storage.TYPE,
        "data": {"release": notes.packed(note)},
    }


def test_records_of_a_release_are_parsed_oldest_first() -> None:
    found = storage.parse_records(
        [noted(10, "deployed"), noted(9, "superseded"), noted(1, "deployed", "other")],
        "vrooli-dev",
        "dev",
    )
    assert [(item.revision.number, item.revision.status) for item in found] == [
        (9, "superseded"),
        (10, "deployed"),
    ]
    assert found[-1].revision.chart == "vrooli-0.1.0"
    assert found[-1].revision.deployed_at == datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_objects_include_hooks() -> None:
    (record,) = storage.parse_records([noted(1, "deployed")], "vrooli-dev", "dev")
    assert [(item.key, item.is_hook) for item in record.manifests] == [
        ("Service/x", False),
        ("Pod/t", True),
    ]


def test_other_secrets_are_ignored() -> None:
    other = {"metadata": {"name": "x", "labels": {"name": "vrooli-dev"}}, "type": "Opaque"}
    assert storage.parse_records([other], "vrooli-dev", "dev") == []


def test_an_unreadable_record_has_the_status_and_number_of_its_labels() -> None:
    secret = noted(3, "deployed")
    secret["metadata"]["labels"] |= {"status": "failed", "version": "3"}
    secret["data"]["release"] = "bm90IGd6aXA="
    (item,) = storage.parse_records([secret], "vrooli-dev", "dev")
    assert (item.revision.status, item.revision.number) == ("failed", 3)
    assert item.error.startswith("it can't be read")


def test_only_the_newest_record_has_objects() -> None:
    old, new = storage.parse_records(
        [noted(1, "superseded"), noted(2, "deployed")], "vrooli-dev", "dev"
    )
    assert (len(old.documents), len(new.documents)) == (0, 2)
