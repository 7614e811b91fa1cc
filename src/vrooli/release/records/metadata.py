"""What is noted of a revision beside Helm's own words: what it was made of, by whom, and its end.

It stands in labels of Helm's Secrets. Helm gives labels to later revisions, too, so each set names
the revision that it is about; what is about another one is not known of this one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vrooli.kube import ApiError, Kube
from vrooli.release import secret_redaction
from vrooli.release.records import encoding, history
from vrooli.release.records.author import Author, author
from vrooli.release.records.history import DEPLOYED, Release, Revision

PREFIX = "vrooli.com/"
# The revision that the labels below are about.
NUMBER = f"{PREFIX}revision"
KIND, VERSION, SOURCE = f"{PREFIX}origin", f"{PREFIX}version", f"{PREFIX}source"
BY, FROM = f"{PREFIX}by", f"{PREFIX}from"
# The revision that became ready; ``history.FAILED`` names one that did not.
READY = f"{PREFIX}ready"
# The revision that is a copy of an older one, made by going back to it.
COPY = f"{PREFIX}copy"
# The longest value of a label, characters; and what it may be made of.
LONGEST = 63
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")
# What a commit's name gets when files were changed since.
MODIFIED = "-modified"
# How the description of one begins that never became ready, and the longest reason, characters.
GAVE_UP, LONGEST_REASON = "it did not become ready", 500
# How Helm describes one that was rolled back to an earlier one.
ROLLBACK = "Rollback to "


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
    """What a revision is made of.

    Attributes:
        kind: An artifact, or the sources as they were.
        version: The artifact's version, or the sources'.
        source: The Git commit, with ``-modified`` where files were changed since; may be empty.
    """

    kind: Kind = Kind.UNKNOWN
    version: str = ""
    source: str = ""

    @classmethod
    def of(cls, kind: Kind, version: str, commit: str | None, *, modified: bool) -> Origin:
        """An origin, given a commit as an artifact's record has it."""
        return cls(kind, version, f"{commit}{MODIFIED if modified else ''}" if commit else "")


@dataclass(frozen=True)
class Record:
    """What is known of a revision.

    Attributes:
        origin: What it was made of.
        by: Who made it; empty where that isn't known.
        place: On which host, or in which run of a pipeline.
        end: How its deploy ended.
    """

    origin: Origin = Origin()
    by: str = ""
    place: str = ""
    end: End = End.UNKNOWN


UNKNOWN = Record()


def labels(number: int, origin: Origin, who: Author) -> dict[str, str]:
    """The labels of a revision that is about to be made."""
    return {
        NUMBER: str(number),
        KIND: origin.kind.value,
        VERSION: _value(origin.version),
        SOURCE: _value(origin.source),
        BY: _value(who.name),
        FROM: _value(who.place),
    }


def parse(found: Mapping[str, str]) -> Record:
    """What a Secret's labels say of its revision."""
    number = found.get("version", "")
    if found.get(NUMBER) != number:
        end = End.FAILED if found.get(history.FAILED) == number else End.UNKNOWN
        return Record(end=end)
    kind = found.get(KIND, "")
    origin = Origin(
        kind=Kind(kind) if kind in tuple(Kind) else Kind.UNKNOWN,
        version=found.get(VERSION, ""),
        source=found.get(SOURCE, ""),
    )
    return Record(origin, found.get(BY, ""), found.get(FROM, ""), _end(found, number))


def _end(found: Mapping[str, str], number: str) -> End:
    if found.get(history.FAILED) == number:
        return End.FAILED
    return End.READY if found.get(READY) == number else End.UNFINISHED


def is_unready(labels: Mapping[str, str]) -> bool:
    """Whether a revision that we made never became ready, by the labels of its Secret.

    One whose deploy was killed counts: nothing has noted its end. Of one that another tool made
    nothing is known, and Helm's word holds.
    """
    return parse(labels).end in (End.FAILED, End.UNFINISHED)


def half(number: int, end: End) -> str:
    """What is to be said of a revision whose deploy did not end well; empty where it did."""
    if end is End.FAILED:
        return f"revision {number} did not become ready when it was deployed"
    if end is End.UNFINISHED:
        return f"the deploy of revision {number} has not ended"
    return ""


async def records(kube: Kube, release: Release) -> dict[int, Record]:
    """What is known of each revision that Helm still knows, by number."""
    found = await history.labels(kube, release)
    return {int(item["version"]): parse(item) for item in found}


async def note_ready(kube: Kube, release: Release, number: int) -> None:
    """Note that a revision has become ready; one that somebody else made isn't touched."""
    found = {int(item["version"]): item for item in await history.labels(kube, release)}
    its = found.get(number, {})
    if its.get(NUMBER) != str(number) or parse(its).end is End.READY:
        return
    change = {"metadata": {"labels": {READY: str(number), history.FAILED: None}}}
    await kube.patch("v1", "Secret", _secret(release, number), release.namespace, change)


async def note_failed(kube: Kube, release: Release, revision: Revision, reason: str) -> None:
    """Note that a revision never became ready, and why.

    Where Helm calls it deployed, the reason takes the place of Helm's "complete".
    """
    name, number = _secret(release, revision.number), revision.number
    change: dict[str, object] = {"metadata": {"labels": {history.FAILED: str(number), READY: None}}}
    if revision.status == DEPLOYED:
        redactor = await secret_redaction.redactor(kube, release.namespace)
        text = f"{GAVE_UP}: {' '.join(redactor.text(reason).split())[:LONGEST_REASON]}"
        secret = await kube.get("v1", "Secret", name, release.namespace)
        noted = _described((secret or {}).get("data", {}).get("release", ""), text)
        if noted:
            change["data"] = {"release": noted}
    await kube.patch("v1", "Secret", name, release.namespace, change)


def _described(packed: str, text: str) -> str:
    """A note with another description, after what was rolled back to; empty if it can't be read."""
    try:
        noted = encoding.unpack(packed)
    except encoding.ERRORS:
        return ""
    info = dict(noted.get("info", {}))
    before = str(info.get("description", ""))
    info["description"] = f"{before}; {text}" if before.startswith(ROLLBACK) else text
    return encoding.pack({**noted, "info": info})


async def note_rollback(kube: Kube, release: Release, number: int, to: Record) -> None:
    """Note who went back: the origin is that of the revision that was gone back to."""
    its = {**labels(number, to.origin, author()), COPY: str(number)}
    change = {"metadata": {"labels": its}}
    await kube.patch("v1", "Secret", _secret(release, number), release.namespace, change)


async def descriptions(kube: Kube, release: Release) -> dict[int, str]:
    """What Helm says of each revision, by number; nothing where that can't be read."""
    selector = f"owner=helm,name={release.name}"
    try:
        secrets = await kube.list("v1", "Secret", release.namespace, selector)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return {}
    found = {}
    for secret in secrets:
        try:
            noted = encoding.unpack(secret.get("data", {}).get("release", ""))
        except encoding.ERRORS:
            continue
        number = int(secret["metadata"]["labels"]["version"])
        found[number] = str(noted.get("info", {}).get("description", ""))
    return found


def _secret(release: Release, number: int) -> str:
    return history.secret_name(release.name, number)


def _value(text: str) -> str:
    """A text as a label's value can hold it."""
    return _FOREIGN.sub("-", text)[:LONGEST].strip("._-")
