"""The switch of a restore of PostgreSQL in place, and what follows it, also for its undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from vrooli.backups import listing
from vrooli.backups.data_directories import DataDirectories
from vrooli.backups.info import INCREMENTAL
from vrooli.backups.listing import Listing
from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import replication, switchover
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.steps import Done, Step
from vrooli.workflows.backups.run import BACKUP_S

# How long the first write after a switch may take, seconds.
WRITABLE_S = 60.0
# How long Patroni may take to start PostgreSQL, seconds.
STARTED_S = 120.0
# How long replicas may take to follow by themselves, seconds. Patroni 3.0 never rewinds them, since
# their leader is the same.
FOLLOW_S = 10.0
# PGO copies the data for a replica from this repository.
REPLICA_REPOSITORY = 1


def next_steps(
    listed: Listing,
    directories: DataDirectories,
    limit_s: float,
    *,
    after: str = "switch",
    repository: int = REPLICA_REPOSITORY,
    is_bound: bool = True,
) -> list[Step]:
    """The steps that follow a switch.

    The backup is first, since a copy of the data for a replica begins with the newest one.

    Args:
        listed: The backups.
        directories: The instance that has the data.
        limit_s: How long a copy for the replicas may take, seconds.
        after: The step before them.
        repository: The number of the repository that the data are from.
        is_bound: Whether only this instance has the right data.
    """

    async def replicas(progress: Progress) -> Done:
        if is_bound:
            await _demand_primary(directories)
        return await follow(directories.postgres, limit_s, progress)

    numbers = sorted({REPLICA_REPOSITORY, repository})
    return [
        Step("backup", "Backup", lambda it: back_up(listed, numbers, it), (after,)),
        Step("replicas", "Replicas", replicas, ("backup",)),
    ]


async def exchange(postgres: Postgres, act: Callable[[], Awaitable[object]]) -> float:
    """Exchange data while clients wait in the pool; returns how long no write was acknowledged.

    Raises:
        VrooliError: The exchange failed, or nobody can write after it.
    """
    async with switchover.probe_pool(postgres) as probe:
        async with switchover.paused_pool(postgres):
            await act()
        await probe.wait_for_write(WRITABLE_S)
        return round(probe.longest_s, 3)


async def await_writable(postgres: Postgres, progress: Progress) -> None:
    """Wait until the primary accepts writes, for example after Patroni has started it.

    Raises:
        WaitTimeoutError: It does not.
    """

    async def reason() -> str:
        try:
            rows = await postgres.query("SELECT pg_is_in_recovery() AS is_in_recovery")
        except VrooliError as error:
            return error.message
        return "it is in recovery" if rows[0]["is_in_recovery"] else ""

    if problem := await poll_reason(reason, STARTED_S, progress):
        raise WaitTimeoutError(
            f"PostgreSQL {postgres.name} accepts no writes after {STARTED_S:g} s: {problem}",
            "Run `vrooli diagnose` to find the cause, then the same command again.",
        )


async def back_up(listed: Listing, repositories: Sequence[int], progress: Progress) -> Done:
    """Back up the data of a new timeline."""
    made: list[str] = []
    for number in repositories:
        progress.report(f"pgBackRest copies the data to repository {number}")
        await listed.repository.backup(number, INCREMENTAL, BACKUP_S)
        newest = (await listed.repository.info()).of(number)[-1]
        made.append(f"{newest.label}, {listing.format_time(newest.stopped)}")
    return Done(changed=True, detail="; ".join(made))


async def _demand_primary(directories: DataDirectories) -> None:
    """Refuse another primary: a replica cannot have had the data when it was promoted.

    Raises:
        VrooliError: There is another one.
    """
    primary = (await directories.postgres.primary()).pod
    if primary != directories.pod:
        raise VrooliError(
            f"{primary} has become the primary before it had the data of {directories.pod}: "
            "PostgreSQL may serve the data of before the switch.",
            "Compare the data. If they are those of before, delete the rest of this restore with "
            "`vrooli restore --finish`, then restore again.",
        )


async def follow(postgres: Postgres, limit_s: float, progress: Progress) -> Done:
    """Have Patroni copy the data to the replicas that do not follow, and wait until all do.

    Args:
        postgres: The PostgresCluster.
        limit_s: How long the copies may take, seconds.
        progress: Reports what it waits for.

    Raises:
        VrooliError: Patroni refused.
        WaitTimeoutError: A replica does not follow.
    """
    primary = (await postgres.primary()).pod
    copied: list[str] = []
    if await replication.await_followers(postgres, primary, FOLLOW_S, progress):
        replicas = await replication.fetch_all(postgres, primary)
        copied = [item.pod for item in replicas if item.problem()]
        for pod in copied:
            await replication.reinitialize(postgres, primary, pod)
        progress.report(f"Patroni copies the data to {', '.join(copied)}")
        if reason := await replication.await_followers(postgres, primary, limit_s, progress):
            raise WaitTimeoutError(
                f"{primary} serves the data, but not all replicas follow it after {limit_s:g} s: "
                f"{reason}.",
                "Run `vrooli diagnose` to find the cause.",
            )
    count = len(await postgres.instances()) - 1
    detail = f"{count} of {count} follow" if count else "PostgreSQL has none"
    if copied:
        detail += f"; the data were copied to {', '.join(copied)}"
    return Done(changed=bool(copied), detail=detail)
