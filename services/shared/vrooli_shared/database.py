"""The database: a small pool through pgBouncer that outlives a failover, and its schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

log = logging.getLogger(__name__)

# How long one operation is tried again while a new primary is elected (measured: under 2 s with
# Patroni, plus pgBouncer's own reconnect), and the longest pause between two tries; seconds.
RETRY_FOR_S = 12.0
PAUSE_MAX_S = 1.0
# An arbitrary number, the same in every replica: only one of them migrates at a time.
MIGRATION_LOCK = 5_329_4001
# What a failover looks like from here: broken or refused connections, a primary that became a
# replica (read only), a server that is starting or stopping.
PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    PoolTimeout,
)


class Database:
    """A pool of connections whose operations are tried again across a failover.

    Each operation runs in one transaction. It may run twice when its commit's answer got lost, so
    operations must be idempotent.
    """

    def __init__(self, conninfo: str, *, size: int = 5) -> None:
        self._pool = AsyncConnectionPool(
            conninfo,
            min_size=1,
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

        Args:
            work: What to do with a connection; must be idempotent.
            retry_for_s: After this many seconds its last error is raised.
        """
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

    async def _once(self, work: Work[T]) -> T:
        async with self._pool.connection() as connection:
            try:
                return await work(connection)
            except errors.ReadOnlySqlTransaction:
                await connection.close()  # it leads to a former primary: the pool drops it
                raise

    async def ping(self) -> None:
        """Ask the primary for an answer, once; raises what went wrong."""
        async with self._pool.connection(timeout=2.0) as connection:
            await connection.execute("SELECT 1")

    async def migrate(self) -> list[str]:
        """Bring the schema up to date; safe to run by many at once, and again.

        Returns:
            The migrations that were applied now.
        """
        return await self.run(_migrate)


async def _migrate(connection: AsyncConnection) -> list[str]:
    """Apply each migration that isn't recorded, in one transaction under one lock.

    The schema is our own: since Postgres 15 an ordinary user may create nothing in ``public``.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
    row = await (await connection.execute("SELECT to_regclass('vrooli.migrations')")).fetchone()
    if row is None or row[0] is None:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS vrooli")
        await connection.execute(
            "CREATE TABLE vrooli.migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    cursor = await connection.execute("SELECT name FROM vrooli.migrations")
    known = {name for (name,) in await cursor.fetchall()}
    applied = []
    for name, statements in _migrations():
        if name not in known:
            await connection.execute(statements.encode())
            await connection.execute("INSERT INTO vrooli.migrations (name) VALUES (%s)", (name,))
            applied.append(name)
    return applied


def _migrations() -> list[tuple[str, str]]:
    """Every migration of this package as (name, SQL), in order."""
    folder = files("vrooli_shared") / "migrations"
    found = [item for item in folder.iterdir() if item.name.endswith(".sql")]
    return [(item.name, item.read_text()) for item in sorted(found, key=lambda item: item.name)]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
