"""Helm's notes are read from its Secrets."""

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


def test_the_revisions_of_a_release_are_read_the_oldest_first() -> None:
    found = storage.notes(
        [noted(10, "deployed"), noted(9, "superseded"), noted(1, "deployed", "other")],
        "vrooli-dev",
    )
    assert [(note.helm.revision, note.helm.status) for note in found] == [
        (9, "superseded"),
        (10, "deployed"),
    ]
    assert found[-1].chart == "vrooli-0.1.0"
    assert found[-1].helm.since == datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_its_objects_are_those_of_the_note_with_the_hooks() -> None:
    (note,) = storage.notes([noted(1, "deployed")], "vrooli-dev")
    assert [(item.key, item.is_hook) for item in note.objects("dev")] == [
        ("Service/x", False),
        ("Pod/t", True),
    ]


def test_other_secrets_are_no_notes() -> None:
    other = {"metadata": {"name": "x", "labels": {"name": "vrooli-dev"}}, "type": "Opaque"}
    assert storage.notes([other], "vrooli-dev") == []


def test_of_a_note_that_can_not_be_read_its_labels_are_known() -> None:
    secret = noted(3, "deployed")
    secret["metadata"]["labels"] |= {"status": "failed", "version": "3"}
    secret["data"]["release"] = "bm90IGd6aXA="
    (note,) = storage.notes([secret], "vrooli-dev")
    assert (note.helm.status, note.helm.revision) == ("failed", 3)
    assert note.why.startswith("it can't be read")


def test_only_the_newest_revision_keeps_its_objects() -> None:
    old, new = storage.notes([noted(1, "superseded"), noted(2, "deployed")], "vrooli-dev")
    assert (len(old.manifests), len(new.manifests)) == (0, 2)
