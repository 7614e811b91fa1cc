"""Helm's notes of a release, read from its own Secrets: no request more, and no wait for Helm.

No I/O here.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.diagnosis.evidence import Helm
from vrooli.diagnosis.happenings import moment
from vrooli.diagnosis.objects import Body, items, labels, mapping, number, text

# The type of the Secrets that Helm keeps its notes in, one for each revision.
TYPE = "helm.sh/release.v1"
# Notes are a few hundred KB; what unpacks to more is none of Helm's.
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Note:
    """One revision.

    Attributes:
        helm: Its number, and how it stands.
        chart: The chart and its version.
        manifests: The objects of it as texts, hooks last.
    """

    helm: Helm
    chart: str
    manifests: tuple[str, ...]

    def objects(self, namespace: str) -> tuple[Manifest, ...]:
        """Its objects, hooks included."""
        return tuple(found for told in self.manifests for found in manifest.parse(told, namespace))


def notes(secrets: Iterable[Body], release: str) -> list[Note]:
    """The revisions of a release, the oldest first; a note that can't be read is left out."""
    found = [
        note
        for secret in secrets
        if text(secret, "type") == TYPE and labels(secret).get("name") == release
        if (note := _read(secret)) is not None
    ]
    return sorted(found, key=lambda note: note.helm.revision)


def _read(secret: Body) -> Note | None:
    try:
        packed = base64.b64decode(base64.b64decode(text(secret, "data", "release")))
        unpacked = zlib.decompressobj(wbits=31).decompress(packed, LARGEST)
        noted = json.loads(unpacked)
    except (binascii.Error, gzip.BadGzipFile, zlib.error, ValueError):
        return None
    return _note(noted) if isinstance(noted, Mapping) else None


def _note(noted: Mapping[str, Any]) -> Note:
    chart = mapping(noted, "chart", "metadata")
    hooks = (text(hook, "manifest") for hook in items(noted, "hooks"))
    return Note(
        helm=Helm(
            status=text(noted, "info", "status"),
            revision=number(noted, "version"),
            description=text(noted, "info", "description"),
            since=moment(text(noted, "info", "last_deployed")),
        ),
        chart=f"{text(chart, 'name')}-{text(chart, 'version')}",
        manifests=(text(noted, "manifest"), *hooks),
    )
