"""Uninstall a release and, with an option, delete its data."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vrooli.environments import Environment
from vrooli.events import Listener, Progress
from vrooli.kube import ApiError, Kube
from vrooli.release import Release, finalizers, lease
from vrooli.release import uninstall as release_uninstall
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


async def uninstall(
    environment: Environment,
    cluster: str | None,
    listener: Listener,
    *,
    data: bool,
    consent: Consent = CONFIRMED,
) -> StepsResult:
    """Uninstall the release; with ``data``, delete its namespace with the databases.

    Raises:
        UsageError: The cluster's name is wrong, or the confirmation is missing.
        PrerequisiteError: The cluster or a needed operator doesn't run, or a deploy does.
        InterruptError: The user declined.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        await finalizers.demand_operators(reached.kube, release.namespace)
        action = Action.DELETE_DATA if data else Action.UNINSTALL
        consent.demand(action, environment.name, _format_deletion(release, data=data))

        async def remove(progress: Progress) -> Done:
            return await release_uninstall.remove(reached.kube, release, progress)

        async def remove_data(progress: Progress) -> Done:
            return await release_uninstall.remove_data(
                reached.kube, release, progress, started=started
            )

        async with _alone(reached.kube, release, Progress("release", listener)):
            ended = await run_steps([Step("release", "Helm release", remove)], listener)
            started = data and await release_uninstall.start_namespace_deletion(
                reached.kube, release
            )
        # The Lease is deleted with its namespace, which accepts no deploys meanwhile.
        if data:
            ended += await run_steps([Step("data", "Databases and volumes", remove_data)], listener)
        return StepsResult.of(ended, time.monotonic() - began)


def _format_deletion(release: Release, *, data: bool) -> str:
    """What will be deleted, for the prompt."""
    if data:
        return f"delete {release.name} and namespace {release.namespace} with all its data"
    return f"uninstall {release.name} in namespace {release.namespace} and keep its data"


@asynccontextmanager
async def _alone(kube: Kube, release: Release, progress: Progress) -> AsyncIterator[None]:
    """Hold the lock, if possible.

    A namespace that is being deleted accepts no deploys; a missing one is not created for this.
    """
    exists, ending = True, False
    with contextlib.suppress(ApiError):  # without the permission to read it, the lock still works
        namespace = await kube.get("v1", "Namespace", release.namespace)
        exists = namespace is not None
        ending = namespace is not None and bool(namespace["metadata"].get("deletionTimestamp"))
    if not exists or ending:
        yield
        return
    async with lease.hold(kube, release, progress):
        yield
