"""The drill of a restore: PostgreSQL of now, in a namespace of its own that is deleted again."""

from __future__ import annotations

import asyncio
import time

from vrooli.backups import clones, copies, isolation, moment
from vrooli.backups.clones import Place
from vrooli.drills.model import NotApplicableError, Scope
from vrooli.drills.site import Site
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.kube.objects import name
from vrooli.operators.pgo import names as pgo
from vrooli.steps import run_steps
from vrooli.workflows.restores.copy import RestoreOptions, RestoreRun
from vrooli.workflows.results.drills import FAILED, PASSED, DrillView

RESTORE, TITLE, SCOPE = "restore", "PostgreSQL restored", Scope.RELEASE
# The namespace of the copy, after the name of the release.
SUFFIX = "drill"
# How long the restore, and the deletion of the copy, may take, seconds.
RESTORE_S, DELETE_S = 900.0, 180.0


async def drill(site: Site, progress: Progress) -> DrillView:
    """Restore a copy of now, compare it with the live data, and delete it.

    Raises:
        NotApplicableError: PostgreSQL is outside the cluster.
        VrooliError: The copy could not be deleted.
    """
    postgres = site.postgres
    if postgres is None:
        raise NotApplicableError("PostgreSQL is outside the cluster")
    place = _place(site)
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
        scope=SCOPE,
        outcome=FAILED if problems else PASSED,
        reasons=problems,
        targets=(f"copy {place}",),
        healed_s=healed_s,
    )


async def remove_left(site: Site, progress: Progress) -> tuple[str, ...]:
    """Remove the copy that a killed drill has left; returns what was removed.

    Raises:
        VrooliError: It could not be removed.
    """
    postgres, place = site.postgres, _place(site)
    try:
        namespace = await site.kube.get("v1", "Namespace", place.namespace)
    except ApiError as error:
        if error.is_forbidden:  # nor could a drill of this user have created it
            return ()
        raise
    if postgres is None or namespace is None or not clones.is_copy(namespace):
        return ()
    clusters = await site.kube.list(pgo.API_VERSION, pgo.KIND, place.namespace)
    if any(name(body) != place.name for body in clusters):
        return ()  # somebody's own copy
    try:
        await _delete(site.kube, place, progress, had_namespace=False)
    except TimeoutError:
        raise WaitTimeoutError(f"The copy {place} was not deleted within {DELETE_S:g} s.") from None
    for policy in isolation.repository_access(postgres.body, place):
        metadata = policy["metadata"]
        await site.kube.delete(
            clones.POLICIES, policy["kind"], metadata["name"], metadata["namespace"]
        )
    return (f"copy {place}",)


def _place(site: Site) -> Place:
    return Place(f"{site.release.name}-copy", f"{site.release.name}-{SUFFIX}")


async def _delete(kube: Kube, place: Place, progress: Progress, *, had_namespace: bool) -> None:
    async with asyncio.timeout(DELETE_S):
        await copies.remove(kube, place, progress)
        if not had_namespace:
            await kube.delete("v1", "Namespace", place.namespace)


def _environment(site: Site) -> Environment:
    return next(item for item in ENVIRONMENTS.values() if item.release == site.release.name)
