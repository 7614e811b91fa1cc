"""What has become of a release: its history, back to a revision, how it differs."""

from __future__ import annotations

import time
from collections.abc import Set

from vrooli.artifact import model
from vrooli.environments import Environment
from vrooli.errors import EnvironmentLackError
from vrooli.events import Listener, Progress
from vrooli.redaction import Redactor
from vrooli.release import Release, drift, follow, hiding, lease
from vrooli.release import history as noted
from vrooli.release import rollback as reverting
from vrooli.release.history import Revision
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import access
from vrooli.workflows.deploy import DeployOptions, rendered
from vrooli.workflows.results import (
    DiffResult,
    HistoryResult,
    RevisionView,
    RollbackResult,
    StepsResult,
)
from vrooli.workflows.views import view

# What Helm doesn't know of a revision that it calls deployed.
GAVE_UP = "it did not become ready"


async def history(
    environment: Environment, cluster: str | None, listener: Listener
) -> HistoryResult:
    """The revisions that Helm still knows.

    Raises:
        EnvironmentLackError: The cluster doesn't run, or has no such release.
    """
    del listener  # looking is quick
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        found = await noted.revisions(release)
        broken = await noted.failed(reached.kube, release)
        redactor = await hiding.redactor(reached.kube, release.namespace)
    if not found:
        raise _absent(release)
    return HistoryResult(
        release=release.name,
        namespace=release.namespace,
        revisions=tuple(_view(revision, redactor, broken) for revision in found),
    )


async def rollback(
    environment: Environment, cluster: str | None, number: int | None, listener: Listener
) -> RollbackResult:
    """Bring an earlier revision back, and follow it until it is healthy.

    Raises:
        UsageError: There is no such revision.
        EnvironmentLackError: The cluster doesn't run, or a deploy does.
        VrooliError: It did not become healthy.
    """
    began = time.monotonic()
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        to = await reverting.target(reached.kube, release, number)

        async def revert(progress: Progress) -> Done:
            return await reverting.roll_back(reached.kube, release, to, progress)

        async def healthy(progress: Progress) -> Done:
            manifests = await noted.manifests(release)
            return await follow.until_ready(reached.kube, manifests, progress)

        steps = [
            Step("release", "Helm release", revert),
            Step("healthy", "Healthy release", healthy, ("release",)),
        ]
        async with lease.held(reached.kube, release, Progress("release", listener)):
            ended = await run_steps(steps, listener)
        last = await noted.last(release)
    done = StepsResult.of(ended, time.monotonic() - began)
    return RollbackResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        to=to.number,
        revision=last.number if last else 0,
    )


async def diff(options: DeployOptions, listener: Listener) -> DiffResult:
    """How the live release differs: from the artifact that is named, else from its last revision.

    Raises:
        UsageError: The artifact is wrong.
        EnvironmentLackError: The cluster doesn't run, or has no such release.
    """
    del listener
    named = options.version is not None or options.artifact is not None
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        note = await noted.newest(release)
        if note is None:
            raise _absent(release)
        redactor = await hiding.redactor(reached.kube, release.namespace)
        if named:
            found, _ = await drift.ahead(reached.kube, rendered(options), note, redactor)
        else:
            found = await drift.drift(reached.kube, note.manifests, redactor)
    against = f"artifact {model.read(options.folder).version}" if named else "its last revision"
    return DiffResult(
        ok=not found, release=release.name, against=against, changes=tuple(map(view, found))
    )


def _view(revision: Revision, redactor: Redactor, broken: Set[int]) -> RevisionView:
    said = revision.description or (GAVE_UP if revision.number in broken else "")
    return RevisionView(
        number=revision.number,
        status=revision.status,
        chart=revision.chart,
        time=revision.deployed_at,
        description=redactor.text(said),
    )


def _absent(release: Release) -> EnvironmentLackError:
    return EnvironmentLackError(
        f"There is no release {release.name} in namespace {release.namespace}.",
        "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
    )
