"""Back up a release, and list its backups."""

from __future__ import annotations

import time

from vrooli import shell
from vrooli.backups import listing, points
from vrooli.backups.info import RepositoryState, StoredBackup, remaining_fulls, retained_until
from vrooli.backups.listing import Listing
from vrooli.environments import Environment
from vrooli.errors import VrooliError
from vrooli.events import Listener, Progress
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.steps import run_steps
from vrooli.workflows import advice
from vrooli.workflows.backups.run import BackupOptions, BackupRun
from vrooli.workflows.clusters import access
from vrooli.workflows.results.backups import BackupResult, BackupsResult, BackupView, RangeView
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards import api_outages


@api_outages.explained(
    "run `vrooli backups`: it lists the point if it is complete. If not, run the same command "
    "again."
)
async def backup(options: BackupOptions, listener: Listener) -> BackupResult:
    """Back up a release, and wait until the point can be restored.

    Raises:
        PrerequisiteError: The release has no PostgreSQL, a deploy or another backup runs, or the
            repository is not ready.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        run = await BackupRun.prepared(options, reached.kube, release)
        async with lease.hold(reached.kube, release, Progress("postgres", listener)):
            ended = await run_steps(run.steps(), listener)
        listed = await listing.fetch(reached.kube, release)
    stored = points.find_backup(listed.info, run.point.id)
    if stored is None:
        raise VrooliError(
            f"The point {run.point.id} is not in the repository.",
            "Run `vrooli backups`: pgBackRest may have expired it already.",
        )
    done = StepsResult.of(ended, time.monotonic() - began)
    return BackupResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        backup=view(listed, stored[0]),
        notes=tuple(run.notes),
        restore_command=_restore_command(options, run.point.id),
    )


def _restore_command(options: BackupOptions, point: str) -> str:
    where = advice.same_release(options.environment, options.cluster)
    return f"vrooli restore --point {shell.segment(point)} --into inspection {where}"


async def backups(
    environment: Environment, cluster: str | None, listener: Listener
) -> BackupsResult:
    """The backups of a release, oldest first.

    Raises:
        PrerequisiteError: The release has no PostgreSQL, or the repository is not ready.
    """
    del listener  # looking is quick
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        listed = await listing.fetch(reached.kube, release)
    states = {state.number: state for state in listed.info.repositories}
    return BackupsResult(
        release=release.name,
        namespace=release.namespace,
        cluster=listed.repository.postgres.name,
        is_running=listed.info.is_locked,
        ranges=tuple(
            RangeView(
                repository=item.repository,
                since=item.since,
                until=item.until,
                problem=state.problem.reason if state.problem else "",
                advice=state.problem.advice if state.problem else "",
                encrypted=state.encrypted,
                full_schedule=listed.repository.schedule(item.repository),
            )
            for item in listed.ranges
            for state in [states.get(item.repository, RepositoryState(item.repository))]
        ),
        backups=tuple(view(listed, item) for item in listed.info.backups),
    )


def view(listed: Listing, item: StoredBackup) -> BackupView:
    """A backup as it is shown."""
    point = points.parse_point(item)
    retention = listed.repository.retention(item.repository)
    return BackupView(
        id=point.id if point else item.label,
        label=item.label,
        is_point=point is not None,
        time=point.time if point else item.stopped,
        kind=item.kind,
        repository=item.repository,
        size_bytes=item.size,
        stored_bytes=item.stored,
        redis_bytes=point.redis.size if point and point.redis else None,
        vault_versions=dict(point.vault) if point else {},
        revision=point.revision if point else None,
        version=(point.version or None) if point else None,
        remaining_full_backups=remaining_fulls(item, listed.info, retention),
        retained_until=retained_until(item, listed.info, retention),
        retention_days=retention.full if retention and retention.is_in_days else None,
        has_errors=item.has_errors,
    )
