"""A writer through the pool of a release's PostgreSQL, and the moments between its writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from vrooli.backups import moment
from vrooli.databases.postgres import pool
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import VrooliError

TABLE = "vrooli.restore_test"
PAUSE_S = 0.05


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
                        await asyncio.sleep(PAUSE_S)
            await asyncio.sleep(PAUSE_S)

    async def moment(self) -> tuple[int, str]:
        """The last number that is written, and a moment before the next one."""
        async with self._between:
            at = (await moment.now(self._postgres)).isoformat()
            await asyncio.sleep(PAUSE_S)
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
