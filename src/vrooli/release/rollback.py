"""Put a release back to what an earlier revision was."""

from __future__ import annotations

from collections.abc import Sequence

import helm_python

from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import helm
from vrooli.release.drift import field_ownership, live_objects
from vrooli.release.model import DEPLOYED, Release
from vrooli.release.records import marks, metadata, storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done

# Helm's requests, not the pods: those are followed afterwards, seconds.
HELM_S = 120
# States of revisions that ran: Helm's words.
WORKED = (DEPLOYED, "superseded")


def find_target(
    records: Sequence[ReleaseRecord], release: Release, number: int | None = None
) -> ReleaseRecord:
    """Find the revision to roll back to.

    Args:
        records: All records of the release, oldest first.
        release: The release.
        number: The revision's number; None takes the last earlier revision that became ready.

    Raises:
        UsageError: There is none.
    """
    if number is not None:
        matches = [item for item in records if item.revision.number == number]
    else:
        ran = [item for item in records[:-1] if item.revision.status in WORKED]
        matches = [item for item in ran if not metadata.is_unready(item.labels)][-1:]
    if not matches:
        revisions = [item.revision for item in records]
        existing = ", ".join(f"{item.number} ({item.status})" for item in revisions) or "none"
        missing = f"no revision {number}" if number is not None else "no earlier revision that ran"
        raise UsageError(
            f"Release {release.name} has {missing}.",
            f"It has: {existing}. `vrooli history` lists them with details.",
        )
    return matches[0]


async def roll_back(
    kube: Kube,
    release: Release,
    target: ReleaseRecord,
    progress: Progress,
    *,
    preserve_added: bool = True,
) -> Done:
    """Make a new revision with the objects of an earlier one; does not wait until it is ready.

    Without ``preserve_added``, fields that people added to the objects are removed.

    Raises:
        VrooliError: Helm failed.
    """
    revision = target.revision
    progress.report(f"rolling back to revision {revision.number}")
    existing = await live_objects.bodies(kube, target.manifests)
    await field_ownership.take_over(
        kube, target.manifests, existing, progress, preserve_added=preserve_added
    )
    try:
        await helm.call(
            release,
            lambda engine: engine.rollback(release.name, version=revision.number, timeout=HELM_S),
        )
    except helm_python.HelmError as error:
        raise helm.failure(release, "roll back", error) from error
    newest = await storage.fetch_revision(kube, release)
    if newest is not None:
        await marks.mark_rollback(kube, release, newest.number, target.metadata)
    detail = f"restored revision {revision.number} ({revision.chart})"
    return Done(changed=True, detail=detail)
