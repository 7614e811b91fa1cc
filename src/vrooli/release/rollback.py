"""Put a release back to what an earlier revision was."""

from __future__ import annotations

import helm_python

from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release.drift import field_ownership, live_objects
from vrooli.release.records import history, metadata
from vrooli.release.records.history import Release, Revision
from vrooli.steps import Done

# Helm's requests, not the pods: those are followed afterwards, seconds.
HELM_S = 120
# States of revisions that ran: Helm's words.
WORKED = (history.DEPLOYED, "superseded")


async def target(kube: Kube, release: Release, number: int | None = None) -> Revision:
    """The revision to go back to: the one with that number, else the last that ran before.

    Raises:
        UsageError: There is none.
    """
    found = await history.revisions(release)
    known = ", ".join(f"{item.number} ({item.status})" for item in found) or "none"
    if number is not None:
        chosen = [item for item in found if item.number == number]
    else:
        noted = await history.labels(kube, release)
        unready = {int(item["version"]) for item in noted if metadata.is_unready(item)}
        ran = [item for item in found[:-1] if item.status in WORKED]
        chosen = [item for item in ran if item.number not in unready][-1:]
    if not chosen:
        which = f"no revision {number}" if number is not None else "no earlier revision that ran"
        raise UsageError(
            f"Release {release.name} has {which}.",
            f"It has: {known}. `vrooli history` tells more.",
        )
    return chosen[0]


async def roll_back(
    kube: Kube, release: Release, to: Revision, progress: Progress, *, keep_added: bool = True
) -> Done:
    """Make a new revision with what an earlier one had; doesn't wait until it is ready.

    Without ``keep_added`` the fields go that people added by hand.

    Raises:
        VrooliError: Helm could not.
    """
    progress.say(f"goes back to revision {to.number}")
    wanted = await history.manifests(release, to.number)
    there = await live_objects.bodies(kube, wanted)
    await field_ownership.take_over(kube, wanted, there, progress, keep_added=keep_added)
    try:
        await history.call(
            release,
            lambda helm: helm.rollback(release.name, version=to.number, timeout=HELM_S),
        )
    except helm_python.HelmError as error:
        raise history.failure(release, "roll back", error) from error
    now = await history.last(release)
    if now is not None:
        its = (await metadata.records(kube, release)).get(to.number, metadata.UNKNOWN)
        await metadata.note_rollback(kube, release, now.number, its)
    return Done(changed=True, detail=f"is revision {to.number} again ({to.chart})")
