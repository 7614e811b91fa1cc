"""The drill of a restore: PostgreSQL of now, in a namespace of its own that is deleted again."""

from __future__ import annotations

import asyncio
import time

from vrooli.backups import copies, moment
from vrooli.backups.clones import Place
from vrooli.drills.model import NotApplicableError
from vrooli.drills.site import Site
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.steps import run_steps
from vrooli.workflows.restore import RestoreOptions, RestoreRun
from vrooli.workflows.results.drills import DrillView

RESTORE, TITLE = "restore", "PostgreSQL restored"
# The namespace of the copy, after the name of the release.
SUFFIX = "drill"
# How long the restore, and the deletion of the copy, may take, seconds.
RESTORE_S, DELETE_S = 900.0, 180.0


async def drill(site: Site, progress: Progress) -> DrillView:
    """Restore a copy of now, compare it with the live data, and delete it.

    Raises:
        NotApplicableError: PostgreSQL is outside the cluster, or there is no backup of it.
        VrooliError: The copy could not be deleted.
    """
    postgres = site.postgres
    if postgres is None:
        raise NotApplicableError("PostgreSQL is outside the cluster")
    place = Place(f"{site.release.name}-copy", f"{site.release.name}-{SUFFIX}")
    at = (await moment.now(postgres)).isoformat()
    options = RestoreOptions(_environment(site), at, into=str(place), timeout_s=RESTORE_S)
    try:
        run = await RestoreRun.prepared(options, site.kube, site.release)
    except VrooliError as error:  # a release that cannot be restored has failed the drill
        return _view(place, (error.message,))
    had_namespace = await site.kube.get("v1", "Namespace", place.namespace) is not None
    began = time.monotonic()
    problems: tuple[str, ...] = ()
    try:
        await run_steps(run.steps(), progress.listener)
        problems = run.differences()
    except VrooliError as error:
        problems = (error.message,)
    finally:
        try:
            await asyncio.shield(_delete(site.kube, place, progress, had_namespace=had_namespace))
        except TimeoutError:
            problems = (*problems, f"the copy {place} was not deleted within {DELETE_S:g} s")
    return _view(place, problems, round(time.monotonic() - began, 1))


def _view(place: Place, problems: tuple[str, ...], healed_s: float | None = None) -> DrillView:
    return DrillView(
        fault=RESTORE,
        title=TITLE,
        outcome="failed" if problems else "passed",
        reasons=problems,
        targets=(f"copy {place}",),
        healed_s=healed_s,
    )


async def _delete(kube: Kube, place: Place, progress: Progress, *, had_namespace: bool) -> None:
    async with asyncio.timeout(DELETE_S):
        await copies.remove(kube, place, progress)
        if not had_namespace:
            await kube.delete("v1", "Namespace", place.namespace)


def _environment(site: Site) -> Environment:
    return next(item for item in ENVIRONMENTS.values() if item.release == site.release.name)
