"""The steps of one restore of PostgreSQL in place and the data that they share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from vrooli.backups import contents, moment, outages, restored
from vrooli.backups.contents import Contents
from vrooli.backups.data_directories import DataDirectories
from vrooli.backups.listing import Listing
from vrooli.backups.outages import Outage
from vrooli.backups.restored import Phase, Restored
from vrooli.backups.targets import Recovery
from vrooli.databases.postgres import pool
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.steps import Done, Step
from vrooli.workflows.restores import steps, switch

# What PGO sets up in a database of a pool after the first start: without it nobody can log in.
_POOL = "SELECT count(*) AS count FROM pg_namespace WHERE nspname = 'pgbouncer'"
LATEST_ADVICE = "`--to latest` restores all transactions that are in the WAL."


@dataclass
class PostgresRestoreRun:
    """The steps of one restore and the data that they share."""

    release: Release
    listed: Listing
    recovery: Recovery
    directories: DataDirectories
    record: Restored
    timeout_s: float
    previous: DataDirectories
    outage: Outage | None = None
    restored: Contents = field(default_factory=Contents)
    live: Contents = field(default_factory=Contents)
    differences: tuple[str, ...] = ()
    pause_s: float = 0.0
    returned_roles: tuple[str, ...] = ()

    @property
    def postgres(self) -> Postgres:
        """The PostgresCluster."""
        return self.directories.postgres

    @property
    def change(self) -> str:
        """The change to confirm, in words."""
        silence = ", which does not answer," if self.outage else ""
        return (
            f"replace the data of PostgreSQL of {self.release}{silence} with those of "
            f"{self.recovery}; the present ones are kept until `vrooli restore --finish`"
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
            *switch.next_steps(
                self.listed, self.directories, self.timeout_s, repository=self.recovery.repository
            ),
        ]

    async def archive(self, progress: Progress) -> Done:
        """Archive the WAL that the recovery needs."""
        return await steps.archive(self.postgres, self.recovery, progress, self.outage)

    async def build(self, progress: Progress) -> Done:
        """Restore the data beside the live ones; a failed restore leaves nothing."""
        if self.previous.pod != self.directories.pod:
            await self.previous.discard()
        await restored.store(self.postgres, self.record)
        progress.report("pgBackRest restores the data, PostgreSQL recovers them")
        try:
            await self.directories.build(self.recovery, self.timeout_s)
            if self.recovery.is_latest:
                at = await moment.last_transaction(self.directories.server, self.directories.pod)
                self.recovery = replace(self.recovery, moment=at or self.recovery.moment)
        except VrooliError as error:
            if self.outage and not (self.recovery.is_named or self.recovery.is_latest):
                error.advice = f"{error.advice} {LATEST_ADVICE}".lstrip()
            await self._clean_up(error)
            raise
        return Done(changed=True, detail=f"{self.recovery}, in pod {self.directories.pod}")

    async def compare(self, progress: Progress) -> Done:
        """Compare the restored data with the live data, and refuse what would not serve."""
        progress.report("counts rows")
        try:
            self.restored = await contents.fetch(self.directories.server, self.directories.pod)
            if self.outage is None:
                self.live = await contents.fetch(self.postgres)
            await self._demand_usable()
        except VrooliError as error:
            await self._clean_up(error)
            raise
        self.differences = (
            *(outages.CONSEQUENCES if self.outage else self._differences()),
            *await self._revision_difference(self.postgres.kube),
        )
        detail = steps.format_comparison(self.restored, len(self.differences))
        return Done(changed=False, detail=detail)

    def _differences(self) -> list[str]:
        return contents.differences(self.restored, self.live)

    async def _demand_usable(self) -> None:
        """Refuse data of before the operator has set up its users and pool."""
        login = await pool.login_of(self.postgres)
        server, pod = self.directories.server, self.directories.pod
        databases = await server.query("SELECT datname AS name FROM pg_database", pod=pod)
        missing = ""
        if login.database not in {row["name"] for row in databases}:
            missing = f"the database {login.database}"
        elif self.outage is None and await self._pool_schemas(server, login.database) < (
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
        if self.outage:
            for name, count in sorted(self.restored.rows.items()):
                yield f"{name}: {_rows(count)} after the restore"
            yield from self.differences
            return
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
        if self.outage is None:
            progress.report("gives the restored data the present roles and passwords")
        if reason := await self._moved_reason():
            error = PrerequisiteError(
                f"{reason}. Nothing was changed.", "Run the same command again."
            )
            await self._clean_up(error)
            raise error
        await self.directories.prepare()
        return Done(changed=True)

    async def _moved_reason(self) -> str:
        """Why the restored data are not beside the live ones any more; empty if they are."""
        if self.outage is not None:
            is_back = await outages.find(self.postgres) is None
            return f"PostgreSQL {self.postgres.name} answers again" if is_back else ""
        primary = (await self.postgres.primary()).pod
        if primary == self.directories.pod:
            return ""
        return (
            f"{primary} has become the primary meanwhile; the restored data is in the volume of "
            f"{self.directories.pod}"
        )

    async def switch(self, progress: Progress) -> Done:
        """Exchange the data; PostgreSQL stops for that time."""
        self.record = replace(self.record.in_phase(Phase.SWITCHING), moment=self.recovery.moment)
        await restored.store(self.postgres, self.record)
        progress.report("exchanges the data")
        if self.outage is None:
            self.pause_s = await switch.exchange(self.postgres, self.directories.switch)
        else:
            began = time.monotonic()
            await self.directories.switch()
            await switch.await_writable(self.postgres, progress)
            self.pause_s = round(time.monotonic() - began, 3)
        self.record = self.record.in_phase(Phase.SWITCHED)
        await restored.store(self.postgres, self.record)
        if self.outage is None:
            users = await contents.fetch_users(self.postgres)
            self.returned_roles = tuple(sorted(users - self.live.users))
        return Done(changed=True, detail=f"no write was acknowledged for {self.pause_s:.1f} s")

    async def discard(self) -> None:
        """Delete the restored data and the record."""
        await self.directories.discard()
        await restored.remove(self.postgres)

    async def _clean_up(self, error: VrooliError) -> None:
        try:
            await self.discard()
        except VrooliError as other:
            error.advice = f"{error.advice} Its data remain: {other.message}".lstrip()


def _rows(count: int | None) -> str:
    return "no table" if count is None else counted(count, "row")
