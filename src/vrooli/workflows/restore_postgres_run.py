"""The steps of one restore of PostgreSQL in place and the data that they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from vrooli.backups import contents, listing, restored
from vrooli.backups.beside import Beside
from vrooli.backups.contents import Contents
from vrooli.backups.info import INCREMENTAL
from vrooli.backups.listing import Listing
from vrooli.backups.restored import Phase, Restored
from vrooli.backups.targets import Recovery
from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import pool, switchover
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.steps import Done, Step
from vrooli.workflows import restore_steps
from vrooli.workflows.backup_run import BACKUP_S

# How long the first write after a switch may take, seconds.
WRITABLE_S = 60.0
# How long Patroni may take to start PostgreSQL, seconds.
STARTED_S = 120.0
# What PGO sets up in a database of a pool after the first start: without it nobody can log in.
_POOL = "SELECT count(*) AS count FROM pg_namespace WHERE nspname = 'pgbouncer'"


@dataclass
class PostgresRestoreRun:
    """The steps of one restore and the data that they share."""

    release: Release
    listed: Listing
    recovery: Recovery
    beside: Beside
    record: Restored
    timeout_s: float
    previous: Beside
    restored: Contents = field(default_factory=Contents)
    live: Contents = field(default_factory=Contents)
    differences: tuple[str, ...] = ()
    pause_s: float = 0.0
    returned_roles: tuple[str, ...] = ()

    @property
    def postgres(self) -> Postgres:
        """The PostgresCluster."""
        return self.beside.postgres

    @property
    def change(self) -> str:
        """The change to confirm, in words."""
        return (
            f"replace the data of PostgreSQL of {self.release} with those of {self.recovery}; the "
            "present ones are kept until `vrooli restore --finish`"
        )

    def build_steps(self) -> list[Step]:
        """The steps that change nothing live."""
        return [
            Step("wal", "WAL", self.archive),
            Step("data", "Restored data", self.build, ("wal",)),
            Step("compare", "Comparison", self.compare, ("data",)),
        ]

    def switch_steps(self) -> list[Step]:
        """The steps from the confirmation on."""
        return [
            Step("prepare", "Preparation", self.prepare),
            Step("switch", "Switch", self.switch, ("prepare",)),
            Step("replicas", "Replicas", self.follow, ("switch",)),
            Step("backup", "Backup", self.back_up, ("replicas",)),
        ]

    async def archive(self, progress: Progress) -> Done:
        """Archive the WAL that the recovery needs."""
        return await restore_steps.archive(self.postgres, self.recovery, progress)

    async def build(self, progress: Progress) -> Done:
        """Restore the data beside the live ones; a failed restore leaves nothing."""
        if self.previous.pod != self.beside.pod:
            await self.previous.discard()
        await restored.store(self.postgres, self.record)
        progress.report("pgBackRest restores the data, PostgreSQL recovers them")
        try:
            await self.beside.build(self.recovery, self.timeout_s)
        except VrooliError as error:
            await self._clean_up(error)
            raise
        return Done(changed=True, detail=f"{self.recovery}, in pod {self.beside.pod}")

    async def compare(self, progress: Progress) -> Done:
        """Compare the restored data with the live data, and refuse what would not serve."""
        progress.report("counts rows")
        try:
            self.restored = await contents.fetch(self.beside.server)
            self.live = await contents.fetch(self.postgres)
            await self._demand_usable()
        except VrooliError as error:
            await self._clean_up(error)
            raise
        self.differences = (
            *contents.differences(self.restored, self.live),
            *await self._revision_difference(self.postgres.kube),
        )
        detail = restore_steps.format_comparison(self.restored, len(self.differences))
        return Done(changed=False, detail=detail)

    async def _demand_usable(self) -> None:
        """Refuse data of before the operator has set up its users and pool."""
        login = await pool.login_of(self.postgres)
        databases = await self.beside.server.query("SELECT datname AS name FROM pg_database")
        missing = ""
        if login.database not in {row["name"] for row in databases}:
            missing = f"the database {login.database}"
        elif await self._pool_schemas(self.beside.server, login.database) < (
            await self._pool_schemas(self.postgres, login.database)
        ):
            missing = "the functions of the connection pool"
        if missing:
            raise PrerequisiteError(
                f"The data of {self.recovery} lack {missing}: the release was being installed. "
                "Nothing was changed.",
                "Choose a later moment, or restore a copy with --into.",
            )

    @staticmethod
    async def _pool_schemas(postgres: Postgres, database: str) -> int:
        (row,) = await postgres.query(_POOL, database)
        return int(row["count"])

    async def _revision_difference(self, kube: Kube) -> tuple[str, ...]:
        """Another revision of the release at the moment, whose tables may differ."""
        revisions = await storage.fetch_revisions(kube, self.release)
        before = [
            item
            for item in revisions
            if item.deployed_at is not None and item.deployed_at <= self.recovery.moment
        ]
        then, now = (before or revisions)[-1], revisions[-1]
        if then.number == now.number:
            return ()
        return (
            f"the release had revision {then.number} ({then.chart}), it has {now.number} "
            f"({now.chart}) now",
        )

    def losses(self) -> Iterator[str]:
        """What the switch takes from the live data, in lines."""
        for name in sorted(self.live.rows.keys() | self.restored.rows.keys()):
            before, after = self.restored.rows.get(name), self.live.rows.get(name)
            if before != after:
                yield f"{name}: {_rows(after)} now, {_rows(before)} after the restore"
        yield from self.differences
        if returned := sorted(self.restored.users - self.live.users):
            yield (
                f"{', '.join(returned)}: dropped since then; they come back without login and "
                "without memberships"
            )

    async def demand_unchanged(self) -> None:
        """Refuse to go on if another command has changed the restore during the prompt.

        Raises:
            PrerequisiteError: It has.
        """
        if await restored.fetch(self.postgres) != self.record:
            raise PrerequisiteError(
                "Another command has changed this restore in the meantime; nothing was changed.",
                "Run the same command again.",
            )

    async def prepare(self, progress: Progress) -> Done:
        """Let the restored data accept writes, with the roles and passwords of the live data."""
        progress.report("gives the restored data the present roles and passwords")
        primary = (await self.postgres.primary()).pod
        if primary != self.beside.pod:
            error = PrerequisiteError(
                f"{primary} has become the primary meanwhile; the restored data is in the volume "
                f"of {self.beside.pod}. Nothing was changed.",
                "Run the same command again.",
            )
            await self._clean_up(error)
            raise error
        await self.beside.prepare()
        return Done(changed=True)

    async def switch(self, progress: Progress) -> Done:
        """Exchange the data; PostgreSQL stops for that time."""
        self.record = self.record.in_phase(Phase.SWITCHING)
        await restored.store(self.postgres, self.record)
        progress.report("exchanges the data")
        self.pause_s = await exchange(self.postgres, self.beside.switch)
        self.record = self.record.in_phase(Phase.SWITCHED)
        await restored.store(self.postgres, self.record)
        users = await contents.fetch_users(self.postgres)
        self.returned_roles = tuple(sorted(users - self.live.users))
        return Done(changed=True, detail=f"no write was acknowledged for {self.pause_s:.1f} s")

    async def follow(self, progress: Progress) -> Done:
        """Wait until the replicas follow: Patroni rewinds them to the restored data."""
        return await follow(self.postgres, progress)

    async def back_up(self, progress: Progress) -> Done:
        """Back up the new timeline: new replicas start from the newest backup."""
        return await back_up(self.listed, self.recovery.repository, progress)

    async def discard(self) -> None:
        """Delete the restored data and the record."""
        await self.beside.discard()
        await restored.remove(self.postgres)

    async def _clean_up(self, error: VrooliError) -> None:
        try:
            await self.discard()
        except VrooliError as other:
            error.advice = f"{error.advice} Its data remain: {other.message}".lstrip()


def _rows(count: int | None) -> str:
    return "no table" if count is None else counted(count, "row")


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


async def follow(postgres: Postgres, progress: Progress) -> Done:
    """Wait until all replicas follow the primary.

    Raises:
        WaitTimeoutError: One does not.
    """
    primary, instances = await postgres.primary(), await postgres.instances()
    if len(instances) > 1:
        await switchover.await_followers(postgres, primary.pod, progress)
    return Done(changed=False, detail=f"{len(instances) - 1} of {len(instances) - 1} follow")


async def back_up(listed: Listing, repository: int, progress: Progress) -> Done:
    """Back up the data of a new timeline."""
    progress.report(f"pgBackRest copies the data to repository {repository}")
    await listed.repository.backup(repository, INCREMENTAL, BACKUP_S)
    info = await listed.repository.info()
    label = info.of(repository)[-1].label
    since = listing.format_time(info.of(repository)[-1].stopped)
    return Done(changed=True, detail=f"{label}, {since}")
