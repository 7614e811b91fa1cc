"""What has become of a release: its history, and how it differs."""

from __future__ import annotations

from collections.abc import Set

from vrooli.artifact import model
from vrooli.environments import Environment
from vrooli.errors import EnvironmentLackError
from vrooli.events import Listener
from vrooli.redaction import Redactor
from vrooli.release import Release, drift, hiding
from vrooli.release import history as noted
from vrooli.release.history import Revision
from vrooli.workflows import access
from vrooli.workflows.deploy import DeployOptions, rendered
from vrooli.workflows.results import (
    DiffResult,
    HistoryResult,
    RevisionView,
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
