"""Restore a release's PostgreSQL in place: beside the live data, compared, then exchanged."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vrooli.backups import listing, outages, restored
from vrooli.backups.data_directories import DataDirectories, State
from vrooli.backups.restored import Restored
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import Environment
from vrooli.errors import InterruptError, PrerequisiteError
from vrooli.events import Listener, LogLine, Progress, StepEnded
from vrooli.kube import Kube
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.steps import run_steps
from vrooli.workflows import advice
from vrooli.workflows.clusters import access
from vrooli.workflows.restores import steps
from vrooli.workflows.restores.postgres_run import PostgresRestoreRun
from vrooli.workflows.results.backups import PostgresRestoreResult
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


@dataclass(frozen=True)
class PostgresRestoreOptions:
    """The options of a restore of PostgreSQL in place, and of its end.

    Attributes:
        environment: The environment of the release.
        to: The moment, as ``--to`` takes it; empty with a point.
        point: The ID of a point or the label of a backup; empty with a moment.
        cluster: As ``--cluster`` takes it; None picks one.
        repository: The number of the repository; None takes the first that has the moment.
        timeout_s: How long the restore of the data may take, seconds.
    """

    environment: Environment
    to: str = ""
    point: str = ""
    cluster: str | None = None
    repository: int | None = None
    timeout_s: float = 3600.0

    def command(self, flag: str) -> str:
        """A command that ends the restore."""
        return f"vrooli restore {flag} {advice.same_release(self.environment, self.cluster)}"


@api_outages.explained(
    "`vrooli status` shows a restore that has not ended, and the commands that end it; if "
    "there is none, run the same command again."
)
async def restore_postgres(
    options: PostgresRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> PostgresRestoreResult:
    """Restore data beside the live data, compare them, and switch once it is confirmed.

    Raises:
        UsageError: The moment or the point can't be restored, or the confirmation is missing.
        PrerequisiteError: There is no room, a deploy runs, or another restore has not ended.
        VrooliError: It failed; the live data was not changed.
        InterruptError: It was not confirmed; the restored data was deleted.
    """
    steps.demand_one_target(options.to, options.point)
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        run = await _prepared(options, reached.kube, release)
        ended = await _carry_out(run, options.environment, listener, consent)
    done = StepsResult.of(ended, time.monotonic() - began)
    return PostgresRestoreResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        cluster=run.directories.postgres.name,
        moment=run.recovery.moment,
        point=run.recovery.point.id if run.recovery.point else None,
        tables=steps.table_views(run.restored, run.live),
        differences=run.differences,
        returned_roles=run.returned_roles,
        pause_s=run.pause_s,
        finish_command=options.command("--finish"),
        undo_command=options.command("--undo"),
    )


async def _carry_out(
    run: PostgresRestoreRun, environment: Environment, listener: Listener, consent: Consent
) -> list[StepEnded]:
    """Restore the data, and switch to them once it is confirmed."""
    if consent.ask is None:
        consent.demand(Action.RESTORE_POSTGRES, environment.name, run.change)
    kube = run.postgres.kube
    async with lease.hold(kube, run.release, Progress("wal", listener)):
        ended = await run_steps(run.build_steps(), listener)
    for line in run.losses():
        listener(LogLine("loss", line))
    try:
        consent.demand(Action.RESTORE_POSTGRES, environment.name, run.change)
    except InterruptError:
        await run.discard()
        raise
    # Not during the prompt, which would block the renewal of the lock.
    async with lease.hold(kube, run.release, Progress("switch", listener)):
        await run.demand_unchanged()
        ended += await run_steps(run.switch_steps(), listener)
    return ended


async def _prepared(
    options: PostgresRestoreOptions, kube: Kube, release: Release
) -> PostgresRestoreRun:
    """Check everything that a restore needs; nothing is changed."""
    listed = await listing.fetch(kube, release)
    postgres = listed.repository.postgres
    outage = await outages.find(postgres)
    if outage is not None:
        await outages.demand_restorable(postgres, outage)
    recovery = await steps.fetch_recovery(
        listed, options.to, options.point, options.repository, outage=outage
    )
    pod = outage.pod if outage else (await postgres.primary()).pod
    directories = DataDirectories(postgres, pod, is_stopped=outage is not None)
    previous = await _previous(directories)
    for item in (directories, previous):
        _demand_possible(postgres, await item.state())
    await directories.demand_room(recovery)
    record = Restored(directories.pod, str(recovery), recovery.moment, datetime.now(UTC))
    return PostgresRestoreRun(
        *(release, listed, recovery, directories, record, options.timeout_s),
        previous=previous,
        outage=outage,
    )


async def _previous(directories: DataDirectories) -> DataDirectories:
    """Where a restore that was killed has left its data; the same place if there was none."""
    record = await restored.fetch(directories.postgres)
    pods = {item.pod for item in await directories.postgres.instances()}
    return replace(directories, pod=record.pod) if record and record.pod in pods else directories


def _demand_possible(postgres: Postgres, state: State) -> None:
    if state.problem:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} cannot be restored in place: {state.problem}.",
            "Restore a copy with --into, and copy rows back with `pg_dump --table` and `psql`.",
        )
    if state.is_switched or state.is_exchanging:
        raise PrerequisiteError(
            f"The volume of PostgreSQL {postgres.name} has data of before another restore.",
            "Bring them back with `vrooli restore --undo`, or delete them with "
            "`vrooli restore --finish`.",
        )
