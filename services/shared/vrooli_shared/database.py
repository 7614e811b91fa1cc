"""The database: a small pool through pgBouncer that outlives a failover and a lost schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from vrooli_shared import schema

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

log = logging.getLogger(__name__)

# How long one operation is tried again while a new primary is elected (measured: under 2 s with
# Patroni, plus pgBouncer's own reconnect), and the longest pause between two tries; seconds.
RETRY_FOR_S = 12.0
PAUSE_MAX_S = 1.0
# What a failover looks like from here: broken or refused connections, a primary that became a
# replica (read only), a server that is starting or stopping.
PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    PoolTimeout,
)
# What a schema that was dropped, or isn't made yet, looks like.
SCHEMA_GONE = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn)
# Connections that are kept although nobody uses them: while a password changes no new ones may
# come, and one of them may be lost.
KEPT = 2
# One look of the health check takes at most this long to get a connection, seconds.
LOOK_S = 2.0


class Database:
    """A pool of connections whose operations are tried again across a failover.

    Each operation runs in one transaction. It may run twice when its commit's answer got lost, so
    operations must be idempotent.
    """

    def __init__(self, conninfo: str, *, size: int = 5) -> None:
        self._pool = AsyncConnectionPool(
            conninfo,
            min_size=KEPT,
            max_size=size,
            open=False,
            timeout=4.0,
            reconnect_timeout=30.0,
            max_idle=60.0,
            # pgBouncer in transaction mode gives each transaction another server connection, where
            # a statement that was prepared before doesn't exist.
            kwargs={"prepare_threshold": None},
            check=AsyncConnectionPool.check_connection,
            name="postgres",
        )

    async def open(self) -> None:
        """Start the pool; it connects in the background, so this doesn't need the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close(timeout=5.0)

    async def run(self, work: Work[T], *, retry_for_s: float = RETRY_FOR_S) -> T:
        """Run ``work`` in a transaction, again while the database fails over.

        Where a table is gone the migrations run, and then the work once more.

        Args:
            work: What to do with a connection; must be idempotent.
            retry_for_s: After this many seconds its last error is raised.
        """
        try:
            return await self._patiently(work, retry_for_s)
        except SCHEMA_GONE as error:
            log.warning("database: %s; the migrations run again", _first_line(error))
            await self.migrate()
        return await self._patiently(work, retry_for_s)

    async def _patiently(self, work: Work[T], retry_for_s: float) -> T:
        deadline = asyncio.get_running_loop().time() + retry_for_s
        pause = 0.1
        while True:
            try:
                return await self._once(work)
            except PASSING as error:
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise
                log.warning("database: %s; trying again in %.1f s", _first_line(error), pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _once(self, work: Work[T], timeout_s: float | None = None) -> T:
        async with self._pool.connection(timeout=timeout_s) as connection:
            try:
                return await work(connection)
            except errors.ReadOnlySqlTransaction:
                await connection.close()  # it leads to a former primary: the pool drops it
                raise

    async def inspect(self) -> schema.Report:
        """Ask the primary, once, for what it has of the schema; raises what went wrong."""
        return await self._once(schema.inspect, LOOK_S)

    async def migrate(self) -> list[str]:
        """Make what is missing of the schema; safe to run by many at once, and again.

        Returns:
            The migrations that were applied now.
        """
        return await self._patiently(schema.migrate, RETRY_FOR_S)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
