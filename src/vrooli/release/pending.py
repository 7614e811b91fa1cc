"""What a Helm left that was killed in the middle: its note goes, then what only it had made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli.chart.manifest import KEEP, Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release.model import DEPLOYED, Release, Revision, secret_name
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord

# How old a revision in progress must be to be taken for left behind, seconds. Ours waits for no
# pods and is through in a few; a Helm of somebody else may wait, by itself for five minutes.
LEFT_BEHIND_S, OTHERS_LEFT_BEHIND_S = 15.0, 300.0
# When ours began, seconds since 1970: Helm gives a label of a note to the ones after it, too, so
# it is ours only where Helm's own time is the same.
BEGAN = "vrooli.com/began"
SAME_S = 30.0
# What Helm writes to every object of a release.
_OWNER = "meta.helm.sh/release-name"


@dataclass(frozen=True)
class Settled:
    """How a release stands when no Helm works on it.

    Attributes:
        note: Helm's newest note that it has ended, or None.
        left: The objects that may be there beside those of its last deployed revision.
    """

    note: ReleaseRecord | None
    left: tuple[Manifest, ...] = ()


def signature() -> Mapping[str, str]:
    """The label by which a note tells that it is ours."""
    return {BEGAN: f"{time.time():.0f}"}


async def settle(
    kube: Kube, release: Release, read: ReleaseRecord | None, progress: Progress
) -> Settled:
    """Wait for another Helm, or clear the note away that a killed one left; objects stay.

    Args:
        kube: The cluster.
        release: Which release.
        read: Helm's newest note, where it was read a moment ago.
        progress: Told what is waited for.
    """
    said, left = False, list[Manifest]()
    note = read or await storage.fetch_record(kube, release)
    while note is not None and note.revision.is_pending:
        found = note.revision
        if await _is_left(kube, release, found):
            progress.report(
                f"clears revision {found.number} away, which was left as {found.status}"
            )
            secret = secret_name(release.name, found.number)
            await kube.delete("v1", "Secret", secret, release.namespace)
            left += note.manifests
        else:
            if not said:
                progress.report(f"waits for another Helm, which says {found.status}")
            said = True
            await asyncio.sleep(1.0)
        note = await storage.fetch_record(kube, release)
    if note is not None and note.revision.status != DEPLOYED:
        # Helm compares the next revision with the last deployed one, and forgets these.
        left += note.manifests
    return Settled(note, tuple(left))


async def remove_left(
    kube: Kube,
    release: Release,
    left: Iterable[Manifest],
    wanted: Iterable[Manifest],
    progress: Progress,
) -> None:
    """Delete what a Helm left that was killed or failed, and that is wanted no more."""
    known = {item.key for item in wanted}
    for item in left:
        if item.key in known or item.is_hook or item.annotations.get(KEEP) == "keep":
            continue
        body = await kube.get(item.api_version, item.kind, item.name, item.namespace)
        noted = (body or {"metadata": {}})["metadata"].get("annotations") or {}
        if noted.get(_OWNER) == release.name:
            progress.report(f"deletes {item.key}, which was left behind")
            await kube.delete(item.api_version, item.kind, item.name, item.namespace)


async def _is_left(kube: Kube, release: Release, found: Revision) -> bool:
    if found.deployed_at is None:
        return True
    age_s = (datetime.now(UTC) - found.deployed_at).total_seconds()
    if age_s >= OTHERS_LEFT_BEHIND_S:
        return True
    return age_s >= LEFT_BEHIND_S and await _is_ours(kube, release, found)


async def _is_ours(kube: Kube, release: Release, found: Revision) -> bool:
    """Whether one of us made it, which held the Lease; or a rollback, which waits for no pods."""
    if found.status == "pending-rollback":
        return True
    secret = secret_name(release.name, found.number)
    note = await kube.get("v1", "Secret", secret, release.namespace)
    began = ((note or {}).get("metadata", {}).get("labels") or {}).get(BEGAN, "")
    if found.deployed_at is None or not began.isdigit():
        return False
    return bool(abs(found.deployed_at.timestamp() - int(began)) < SAME_S)
