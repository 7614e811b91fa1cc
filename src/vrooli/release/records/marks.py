"""Write a revision's outcome to Helm's Secret: ready, failed, or made by a rollback."""

from __future__ import annotations

from collections.abc import Mapping

from vrooli.kube import Kube
from vrooli.release import secret_redaction
from vrooli.release.model import DEPLOYED, Release, Revision, secret_name
from vrooli.release.records import encoding, metadata, storage
from vrooli.release.records.author import author
from vrooli.release.records.metadata import (
    COPY,
    FAILED,
    NUMBER,
    READY,
    UNREADY_DESCRIPTION,
    End,
    RevisionMetadata,
)

# The longest reason in a description, characters.
LONGEST_REASON = 500
# How Helm's description of a rollback starts.
ROLLBACK = "Rollback to "


async def mark_ready(kube: Kube, release: Release, number: int) -> None:
    """Mark a revision as ready; a revision of another tool is not changed."""
    labels = {int(item["version"]): item for item in await storage.fetch_labels(kube, release)}
    own = labels.get(number, {})
    if own.get(NUMBER) != str(number) or metadata.parse(own).end is End.READY:
        return
    change = {"metadata": {"labels": {READY: str(number), FAILED: None}}}
    await _patch(kube, release, number, change)


async def mark_failed(kube: Kube, release: Release, revision: Revision, reason: str) -> None:
    """Mark a revision as one that never became ready, with the reason.

    If Helm's status is "deployed", the reason replaces Helm's description ("Upgrade complete").
    """
    number = revision.number
    change: dict[str, object] = {"metadata": {"labels": {FAILED: str(number), READY: None}}}
    if revision.status == DEPLOYED:
        redactor = await secret_redaction.redactor(kube, release.namespace)
        reason = " ".join(redactor.text(reason).split())[:LONGEST_REASON]
        name = secret_name(release.name, number)
        secret = await kube.get("v1", "Secret", name, release.namespace)
        packed = (secret or {}).get("data", {}).get("release", "")
        if repacked := _with_description(packed, f"{UNREADY_DESCRIPTION}: {reason}"):
            change["data"] = {"release": repacked}
    await _patch(kube, release, number, change)


async def mark_rollback(
    kube: Kube, release: Release, number: int, target: RevisionMetadata
) -> None:
    """Store who rolled back; the origin is that of the target revision."""
    labels = {**metadata.build_labels(number, target.origin, author()), COPY: str(number)}
    await _patch(kube, release, number, {"metadata": {"labels": labels}})


async def _patch(kube: Kube, release: Release, number: int, change: Mapping[str, object]) -> None:
    name = secret_name(release.name, number)
    await kube.patch("v1", "Secret", name, release.namespace, change)


def _with_description(packed: str, text: str) -> str:
    """Replace a record's description, or append to that of a rollback; empty if unreadable."""
    try:
        content = encoding.unpack(packed)
    except encoding.ERRORS:
        return ""
    info = dict(content.get("info", {}))
    before = str(info.get("description", ""))
    info["description"] = f"{before}; {text}" if before.startswith(ROLLBACK) else text
    return encoding.pack({**content, "info": info})
