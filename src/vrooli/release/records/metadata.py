"""What vrooli stores of a revision beside Helm's record: its origin, its author and its outcome.

It is stored in labels of Helm's Secrets. Helm copies labels to later revisions, so each set of
labels names its revision; labels that name another revision are ignored. No I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vrooli.release.records.author import Author

PREFIX = "vrooli.com/"
# The revision that the labels below describe.
NUMBER = f"{PREFIX}revision"
KIND, VERSION, SOURCE = f"{PREFIX}origin", f"{PREFIX}version", f"{PREFIX}source"
BY, FROM = f"{PREFIX}by", f"{PREFIX}from"
# The revision that became ready, and the one that did not.
READY, FAILED = f"{PREFIX}ready", f"{PREFIX}failed"
# The revision that is a copy of an older one, made by a rollback.
COPY = f"{PREFIX}copy"
# The longest label value, characters, and the characters that it can't have.
LONGEST = 63
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")
# The suffix of a commit with uncommitted changes.
MODIFIED = "-modified"
# How the description of a revision starts that never became ready.
UNREADY_DESCRIPTION = "it did not become ready"


class Kind(StrEnum):
    """What a revision was made of."""

    ARTIFACT = "artifact"
    SOURCE = "source"
    UNKNOWN = "unknown"


class End(StrEnum):
    """How a revision's deploy ended."""

    READY = "ready"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """What a revision was made of.

    Attributes:
        kind: An artifact, or a working tree.
        version: The version of the artifact or of the working tree.
        source: The Git commit, with ``-modified`` if there were uncommitted changes; may be empty.
    """

    kind: Kind = Kind.UNKNOWN
    version: str = ""
    source: str = ""

    @classmethod
    def of(cls, kind: Kind, version: str, commit: str | None, *, modified: bool) -> Origin:
        """An origin, given a commit as an artifact's record has it."""
        return cls(kind, version, f"{commit}{MODIFIED if modified else ''}" if commit else "")


@dataclass(frozen=True)
class RevisionMetadata:
    """What vrooli has stored of a revision. The defaults stand for nothing stored.

    Attributes:
        origin: What it was made of.
        by: Who made it; may be empty.
        place: The host or the pipeline run that made it; may be empty.
        end: How its deploy ended.
    """

    origin: Origin = Origin()
    by: str = ""
    place: str = ""
    end: End = End.UNKNOWN


def build_labels(number: int, origin: Origin, creator: Author) -> dict[str, str]:
    """Build the labels of a revision that is about to be made."""
    return {
        NUMBER: str(number),
        KIND: origin.kind.value,
        VERSION: _label_value(origin.version),
        SOURCE: _label_value(origin.source),
        BY: _label_value(creator.name),
        FROM: _label_value(creator.place),
    }


def parse(labels: Mapping[str, str]) -> RevisionMetadata:
    """Parse the labels of a revision's Secret."""
    number = labels.get("version", "")
    if labels.get(NUMBER) != number:
        end = End.FAILED if labels.get(FAILED) == number else End.UNKNOWN
        return RevisionMetadata(end=end)
    kind = labels.get(KIND, "")
    origin = Origin(
        kind=Kind(kind) if kind in tuple(Kind) else Kind.UNKNOWN,
        version=labels.get(VERSION, ""),
        source=labels.get(SOURCE, ""),
    )
    return RevisionMetadata(origin, labels.get(BY, ""), labels.get(FROM, ""), _end(labels, number))


def _end(labels: Mapping[str, str], number: str) -> End:
    if labels.get(FAILED) == number:
        return End.FAILED
    return End.READY if labels.get(READY) == number else End.UNFINISHED


def is_unready(labels: Mapping[str, str]) -> bool:
    """Whether a revision that vrooli made never became ready, by the labels of its Secret.

    A revision whose deploy was killed counts, since no outcome was stored. Nothing is known of the
    revisions of other tools; Helm's status is used for them.
    """
    return parse(labels).end in (End.FAILED, End.UNFINISHED)


def format_unready(number: int, end: End) -> str:
    """Describe a revision whose deploy failed or did not end; empty if it became ready."""
    if end is End.FAILED:
        return f"revision {number} did not become ready when it was deployed"
    if end is End.UNFINISHED:
        return f"the deploy of revision {number} has not ended"
    return ""


def _label_value(text: str) -> str:
    """Convert a text to a valid label value."""
    return _FOREIGN.sub("-", text)[:LONGEST].strip("._-")
