"""What has become of a release: its history, and how it differs."""

from __future__ import annotations

from vrooli.artifact import model
from vrooli.environments import Environment
from vrooli.errors import EnvironmentLackError
from vrooli.events import Listener
from vrooli.release import Release, secret_redaction
from vrooli.release.drift import comparison
from vrooli.release.records import history as noted
from vrooli.release.records import metadata
from vrooli.release.records.history import Revision
from vrooli.release.records.metadata import GAVE_UP, End, Record
from vrooli.release.rollback import WORKED
from vrooli.workflows import access
from vrooli.workflows.change_view import view
from vrooli.workflows.deploy import DeployOptions, rendered
from vrooli.workflows.results import DiffResult, HistoryResult, RevisionView


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
        its = await metadata.records(reached.kube, release)
        texts = await metadata.descriptions(reached.kube, release)
        redactor = await secret_redaction.redactor(reached.kube, release.namespace)
    if not found:
        raise _absent(release)
    return HistoryResult(
        release=release.name,
        namespace=release.namespace,
        revisions=tuple(
            _view(
                item,
                its.get(item.number, metadata.UNKNOWN),
                redactor.text(texts.get(item.number) or item.description),
            )
            for item in found
        ),
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
        redactor = await secret_redaction.redactor(reached.kube, release.namespace)
        if named:
            found, _ = await comparison.ahead(
                reached.kube,
                rendered(options),
                note,
                redactor,
                deployed=await noted.deployed(release, note),
            )
        else:
            found = await comparison.drift(reached.kube, note.manifests, redactor)
    against = f"artifact {model.read(options.folder).version}" if named else "its last revision"
    return DiffResult(
        ok=not found, release=release.name, against=against, changes=tuple(map(view, found))
    )


def _view(revision: Revision, its: Record, description: str) -> RevisionView:
    # Helm calls one complete that never became ready, where nobody could note more.
    if its.end is End.FAILED and revision.status in WORKED and GAVE_UP not in description:
        description = GAVE_UP
    if its.end is End.READY and GAVE_UP in description:
        description = f"{description}; it became ready later"
    return RevisionView(
        number=revision.number,
        status=revision.status,
        chart=revision.chart,
        time=revision.deployed_at,
        description=description,
        end=its.end.value,
        origin=its.origin.kind.value,
        version=its.origin.version or None,
        source=its.origin.source or None,
        by=its.by or None,
        place=its.place or None,
    )


def _absent(release: Release) -> EnvironmentLackError:
    return EnvironmentLackError(
        f"There is no release {release.name} in namespace {release.namespace}.",
        "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
    )
