"""A writer through the pool of a release's PostgreSQL, and the moments between its writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import psycopg

from vrooli.backups import moment
from vrooli.databases.postgres import pool
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import VrooliError
from vrooli.events import silent
from vrooli.workflows.restores.end import finish_restore, undo_restore
from vrooli.workflows.restores.postgres import PostgresRestoreOptions, restore_postgres

TABLE = "vrooli.restore_test"
BETWEEN_S = 0.05
# Clients wait for a switch at most so long, seconds.
PAUSE_S = 10.0


@dataclass(frozen=True)
class Restored:
    """What a restore under writes has kept.

    Attributes:
        options: The restore.
        acknowledged: The numbers that had been acknowledged, also after it.
        last: The last number that it kept.
        newest: The newest number that it took away.
    """

    options: PostgresRestoreOptions
    acknowledged: Set[int]
    last: int
    newest: int


class Writer:
    """Writes increasing numbers, one attempt each.

    Attributes:
        acknowledged: The numbers that PostgreSQL has acknowledged.
    """

    def __init__(self, postgres: Postgres, port: int, login: pool.Login) -> None:
        self._postgres, self._port, self._login = postgres, port, login
        self._between, self._number = asyncio.Lock(), 0
        self._written = asyncio.Event()
        self.acknowledged: list[int] = []

    async def run(self) -> None:
        """Write until cancelled, also after errors."""
        while True:
            with contextlib.suppress(psycopg.Error, VrooliError, OSError):
                async with await pool.log_in(self._port, self._login) as connection:
                    while True:
                        async with self._between:
                            self._number += 1
                            query = f"INSERT INTO {TABLE} VALUES (%s)"
                            await connection.execute(query.encode(), (self._number,))
                            self.acknowledged.append(self._number)
                            self._written.set()
                        await asyncio.sleep(BETWEEN_S)
            await asyncio.sleep(BETWEEN_S)

    async def moment(self) -> tuple[int, str]:
        """The last number that is written, and a moment before the next one."""
        async with self._between:
            at = (await moment.now(self._postgres)).isoformat()
            await asyncio.sleep(BETWEEN_S)
            return self._number, at

    async def wait_for(self, count: int) -> None:
        """Wait until so many more numbers are acknowledged."""
        target = len(self.acknowledged) + count
        async with asyncio.timeout(90):
            while len(self.acknowledged) < target:
                self._written.clear()
                await self._written.wait()

    async def present(self) -> set[int]:
        """The numbers in the table."""
        rows = await self._postgres.query(f"SELECT number FROM {TABLE}", self._login.database)
        return {int(row["number"]) for row in rows}


@asynccontextmanager
async def writing(postgres: Postgres) -> AsyncIterator[Writer]:
    """Write during the block, into a table of its own that is dropped at its end."""
    login, (name, *_) = await pool.login_of(postgres), await pool.pods(postgres)
    await postgres.execute(
        f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (number int); "
        f'ALTER TABLE {TABLE} OWNER TO "{login.user}";',
        login.database,
    )
    async with pool.address(postgres, name) as port:
        writer = Writer(postgres, port, login)
        running = asyncio.create_task(writer.run())
        try:
            yield writer
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await postgres.execute(f"DROP TABLE IF EXISTS {TABLE};", login.database)


async def restore_once(
    writer: Writer, release: PostgresRestoreOptions, pause_s: float = PAUSE_S
) -> Restored:
    """Restore a moment between two writes, and assert that exactly the later ones are gone."""
    await writer.wait_for(20)
    last, at = await writer.moment()
    await writer.wait_for(20)
    options = replace(release, to=at)
    result = await restore_postgres(options, silent)
    assert result.pause_s < pause_s
    await writer.wait_for(5)
    before, present = set(writer.acknowledged), await writer.present()
    lost = before - present
    assert lost == {number for number in before if last < number <= max(lost)}
    assert present >= set(range(1, last + 1))
    return Restored(options, before, last, max(lost))


async def restore_twice(writer: Writer, release: PostgresRestoreOptions) -> None:
    """Restore a moment, undo it, restore it again and finish."""
    once = await restore_once(writer, release)
    undone = await undo_restore(release, silent)
    assert undone.pause_s < PAUSE_S
    present = await writer.present()
    assert present >= {number for number in once.acknowledged if number <= once.newest}

    again = await restore_postgres(once.options, silent)
    assert again.pause_s < PAUSE_S
    present = await writer.present()
    restored = set(range(1, once.last + 1))
    assert {number for number in present if number <= once.newest} == restored
    await finish_restore(release, silent)
