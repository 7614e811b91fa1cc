"""Helm's records of releases and their Leases, made from objects and labels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from support.release.helm_secrets import packed
from vrooli.chart.manifest import Manifest
from vrooli.release import lease
from vrooli.release.model import Release, Revision, secret_name
from vrooli.release.records import metadata, storage
from vrooli.release.records.author import Author
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.release.records.storage import ReleaseRecord


def record(
    number: int = 1,
    status: str = "deployed",
    objects: Iterable[Manifest] = (),
    stored: RevisionMetadata | None = None,
) -> ReleaseRecord:
    """A record of a revision, with these objects and this metadata."""
    revision = Revision(number, status, "vrooli-1", datetime.now(UTC))
    labels = {"version": str(number)}
    if stored is not None:
        author = Author(stored.by, stored.place)
        labels |= metadata.build_labels(number, stored.origin, author)
        marks = {End.READY: metadata.READY, End.FAILED: metadata.FAILED}
        labels |= {marks[stored.end]: str(number)} if stored.end in marks else {}
        if stored.end is End.UNKNOWN:
            labels.pop(metadata.NUMBER)
    documents = tuple(json.dumps(item.body) for item in objects)
    return ReleaseRecord(revision, "dev", documents, labels)


def helm_secret(release: Release, record: ReleaseRecord) -> dict[str, Any]:
    """Helm's Secret of a record."""
    revision = record.revision
    name, version = revision.chart.rsplit("-", 1)
    own = {"owner": "helm", "name": release.name, "status": revision.status}
    deployed_at = revision.deployed_at.isoformat() if revision.deployed_at else ""
    content = {
        "name": release.name,
        "version": revision.number,
        "info": {"status": revision.status, "last_deployed": deployed_at},
        "chart": {"metadata": {"name": name, "version": version}},
        "manifest": "\n---\n".join(record.documents),
    }
    return {
        "kind": "Secret",
        "type": storage.TYPE,
        "metadata": {
            "name": secret_name(release.name, revision.number),
            "namespace": release.namespace,
            "labels": {**own, **record.labels},
        },
        "data": {"release": packed(content)},
    }


def unfinished_revision(release: Release, number: int) -> dict[str, Any]:
    """Helm's Secret of a revision that vrooli made and did not finish."""
    return helm_secret(release, record(number, stored=RevisionMetadata(end=End.UNFINISHED)))


def held_lease(release: Release, holder: str) -> dict[str, Any]:
    """The Lease of a release, held by this process or another one."""
    time = "2026-01-01T00:00:00Z"
    spec = {"holderIdentity": holder, "acquireTime": time, "renewTime": time}
    return {"kind": "Lease", "metadata": {"name": lease.lease_name(release)}, "spec": spec}
