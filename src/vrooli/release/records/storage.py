"""Helm's notes of a release, read from its own Secrets: no request more, and no wait for Helm.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.kube.objects import Body, items, labels, mapping, number, text
from vrooli.kube.times import parse_time
from vrooli.release.records import encoding

# The type of the Secrets that Helm keeps its notes in, one for each revision.
TYPE = "helm.sh/release.v1"
# Reading objects takes a second for each MB, in which nothing else goes on, characters.
LARGEST_MANIFEST = 2 * 1024 * 1024


@dataclass(frozen=True)
class RevisionStatus:
    """What Helm has noted of the release; a status of "" means that there is none."""

    status: str = ""
    revision: int = 0
    description: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Note:
    """One revision.

    Attributes:
        helm: Its number, and how it stands.
        chart: The chart and its version.
        manifests: The objects of it as texts, hooks last; only the newest revision has them.
        why: Why no more is known of it; empty where it could be read.
    """

    helm: RevisionStatus
    chart: str
    manifests: tuple[str, ...]
    why: str = ""

    def objects(self, namespace: str) -> tuple[Manifest, ...]:
        """Its objects, hooks included.

        Raises:
            ValueError: There are too many.
        """
        if (size := sum(map(len, self.manifests))) > LARGEST_MANIFEST:
            raise ValueError(f"its objects take {size} characters")
        return tuple(found for told in self.manifests for found in manifest.parse(told, namespace))


def notes(secrets: Iterable[Body], release: str) -> list[Note]:
    """The revisions of a release, the oldest first."""
    return in_order(
        _read(secret)
        for secret in secrets
        if text(secret, "type") == TYPE and labels(secret).get("name") == release
    )


def chart_of(secret: Body) -> str:
    """The name of a revision's chart; empty where the note can't be read."""
    try:
        return text(encoding.unpack(text(secret, "data", "release")), "chart", "metadata", "name")
    except encoding.ERRORS:
        return ""


def in_order(notes: Iterable[Note]) -> list[Note]:
    """The oldest first, and none but the newest with its objects: nobody reads the others'."""
    found = sorted(notes, key=lambda note: note.helm.revision)
    return [*(replace(note, manifests=()) for note in found[:-1]), *found[-1:]]


def _read(secret: Body) -> Note:
    try:
        noted = encoding.unpack(text(secret, "data", "release"))
    except encoding.ERRORS as error:
        return _unreadable(secret, f"it can't be read ({type(error).__name__}: {error})")
    return _note(noted)


def _unreadable(secret: Body, why: str) -> Note:
    """What Helm's own labels tell of a revision."""
    number_of = text(labels(secret), "version")
    revision = int(number_of) if number_of.isdecimal() else 0
    status = text(labels(secret), "status") or "unknown"
    return Note(RevisionStatus(status, revision), chart="", manifests=(), why=why)


def _note(noted: Mapping[str, Any]) -> Note:
    chart = mapping(noted, "chart", "metadata")
    hooks = (text(hook, "manifest") for hook in items(noted, "hooks"))
    return Note(
        helm=RevisionStatus(
            status=text(noted, "info", "status"),
            revision=number(noted, "version"),
            description=text(noted, "info", "description"),
            since=parse_time(text(noted, "info", "last_deployed")),
        ),
        chart=f"{text(chart, 'name')}-{text(chart, 'version')}",
        manifests=(text(noted, "manifest"), *hooks),
    )
