"""What has become of a release: its history, and how it differs."""

from __future__ import annotations

from vrooli.artifact import model
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener
from vrooli.redaction import Redactor
from vrooli.release import Release, overrides, secret_redaction
from vrooli.release.drift import comparison
from vrooli.release.records import storage
from vrooli.release.records.metadata import UNREADY_DESCRIPTION, End
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollback import WORKED
from vrooli.release.rollout.context import EPOCH
from vrooli.workflows.change_view import override_view, view
from vrooli.workflows.clusters import access
from vrooli.workflows.deploys.deploy import rendered
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.results.releases import DiffResult, HistoryResult, RevisionView


async def history(
    environment: Environment, cluster: str | None, listener: Listener
) -> HistoryResult:
    """The revisions in Helm's records, oldest first.

    Raises:
        PrerequisiteError: The cluster doesn't run, or has no such release.
    """
    del listener  # looking is quick
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        records = await storage.fetch_records(reached.kube, release)
        redactor = await secret_redaction.redactor(reached.kube, release.namespace)
    if not records:
        raise _absent(release)
    return HistoryResult(
        release=release.name,
        namespace=release.namespace,
        revisions=tuple(_view(record, redactor) for record in records),
    )


async def diff(options: DeployOptions, listener: Listener) -> DiffResult:
    """How the live release differs: from the artifact that is named, else from its last revision.

    Raises:
        UsageError: The artifact is wrong.
        PrerequisiteError: The cluster doesn't run, or has no such release.
    """
    del listener
    named = options.version is not None or options.artifact is not None
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        record = await storage.fetch_record(reached.kube, release)
        if record is None:
            raise _absent(release)
        redactor = await secret_redaction.redactor(reached.kube, release.namespace)
        stored = await overrides.fetch(reached.kube, release)
        if named:
            changes, _ = await comparison.preview(
                reached.kube,
                rendered(options, reached.cluster.kind, stored),
                record,
                redactor,
                deployed=await storage.fetch_deployed_manifests(reached.kube, release, record),
            )
        else:
            changes = await comparison.find_drift(reached.kube, record.manifests, redactor)
    compared_to = f"artifact {model.read(options.folder).version}" if named else "its last revision"
    return DiffResult(
        ok=not changes,
        release=release.name,
        compared_to=compared_to,
        changes=tuple(map(view, changes)),
        overrides=tuple(map(override_view, stored.entries)),
    )


def _view(record: ReleaseRecord, redactor: Redactor) -> RevisionView:
    revision, metadata = record.revision, record.metadata
    description = redactor.text(revision.description)
    # Helm's status and description of a revision say nothing of its pods.
    is_described = UNREADY_DESCRIPTION in description
    if metadata.end is End.FAILED and revision.status in WORKED and not is_described:
        description = UNREADY_DESCRIPTION
    if metadata.end is End.READY and is_described:
        description = f"{description}; it became ready later"
    return RevisionView(
        number=revision.number,
        status=revision.status,
        chart=revision.chart,
        time=revision.deployed_at or EPOCH,
        description=description,
        outcome=metadata.end.value,
        origin=metadata.origin.kind.value,
        version=metadata.origin.version or None,
        commit=metadata.origin.source or None,
        deployed_by=metadata.by or None,
        deployed_from=metadata.place or None,
    )


def _absent(release: Release) -> PrerequisiteError:
    return PrerequisiteError(
        f"There is no release {release.name} in namespace {release.namespace}.",
        "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
    )
