"""A connection pool to PostgreSQL that handles failovers and a missing schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from vrooli_shared import schema

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

log = logging.getLogger(__name__)

# How long an operation is retried during a failover (measured: under 2 s with Patroni, plus the
# reconnect of pgBouncer), and the maximum delay between attempts; seconds.
RETRY_FOR_S = 12.0
PAUSE_MAX_S = 1.0
# Errors during a failover: broken or refused connections, a former primary that is read-only, a
# server that is starting or stopping. A process that was paused may find its transaction ended.
TRANSIENT_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    PoolTimeout,
)
# Errors of an operation that waited for too long: another attempt would wait again.
BUSY_ERRORS = (errors.LockNotAvailable, errors.QueryCanceled)
# Errors if the schema was dropped or not created yet.
SCHEMA_MISSING = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn)
# Idle connections in the pool: during a password rotation new connections may be rejected, and one
# connection may be lost.
MIN_CONNECTIONS = 2
# Timeout of an operation to get a connection, seconds.
POOL_TIMEOUT_S = 4.0
# After so many seconds without a connection, the pool begins another attempt. It would double its
# delay otherwise, so that services came back up to 16 s after their database.
RECONNECT_S = 1.0
# How long a statement may wait for a lock, and run, in operations that limit their waits; ms.
LOCK_WAIT_MS, STATEMENT_MS = 3_000, 10_000
# How long a transaction with locks may be idle; ms. PostgreSQL ends that of a lost process, whose
# connection it would notice much later.
IDLE_MS = 10_000
# Timeout of the health check to get a connection, seconds.
INSPECT_TIMEOUT_S = 2.0


class Database:
    """A connection pool that retries operations during a failover.

    Each operation runs in one transaction. It can run twice if the connection is lost during
    commit, so operations must be idempotent.
    """

    def __init__(self, conninfo: str, *, size: int = 5) -> None:
        self._operations = asyncio.Semaphore(size)
        self._pool = AsyncConnectionPool(
            conninfo,
            min_size=MIN_CONNECTIONS,
            # One more than operations may take: the health check never waits for one of them.
            max_size=size + 1,
            open=False,
            timeout=POOL_TIMEOUT_S,
            reconnect_timeout=RECONNECT_S,
            reconnect_failed=_reconnect,
            max_idle=60.0,
            # With pgBouncer in transaction mode, prepared statements may not exist on the next
            # server connection.
            kwargs={"prepare_threshold": None},
            check=AsyncConnectionPool.check_connection,
            name="postgres",
        )

    async def open(self) -> None:
        """Start the pool; it connects in the background, so this doesn't need the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=5.0)

    async def run(self, work: Work[T], *, retry_for_s: float = RETRY_FOR_S) -> T:
        """Run ``work`` in a transaction, with retries during a failover.

        If a table is missing, the migrations run and the work is repeated.

        Args:
            work: The operation on a connection; must be idempotent.
            retry_for_s: Seconds after which the last error is raised.
        """
        try:
            return await self._with_retries(work, retry_for_s)
        except SCHEMA_MISSING as error:
            log.warning("database: %s; the migrations run again", _first_line(error))
            await self.migrate()
        return await self._with_retries(work, retry_for_s)

    async def _with_retries(self, work: Work[T], retry_for_s: float) -> T:
        deadline = asyncio.get_running_loop().time() + retry_for_s
        pause = 0.1
        while True:
            try:
                async with self._operation():
                    return await self._run_once(work)
            except BUSY_ERRORS:
                raise
            except TRANSIENT_ERRORS as error:
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise
                log.warning("database: %s; retrying in %.1f s", _first_line(error), pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        """Wait until fewer operations than allowed hold a connection."""
        try:
            async with asyncio.timeout(POOL_TIMEOUT_S):
                await self._operations.acquire()
        except TimeoutError:
            message = f"no connection was free within {POOL_TIMEOUT_S:g} s"
            raise PoolTimeout(message) from None
        try:
            yield
        finally:
            self._operations.release()

    async def _run_once(self, work: Work[T], timeout_s: float | None = None) -> T:
        async with self._pool.connection(timeout=timeout_s) as connection:
            try:
                return await work(connection)
            except errors.ReadOnlySqlTransaction:
                await connection.close()  # connected to a former primary: the pool discards it
                raise

    async def inspect(self) -> schema.Report:
        """Inspect the schema on the primary, without retries."""
        return await self._run_once(schema.inspect, INSPECT_TIMEOUT_S)

    async def migrate(self) -> list[str]:
        """Create the missing parts of the schema; safe to run concurrently and repeatedly.

        Returns:
            The migrations that were applied now.
        """
        return await self._with_retries(schema.migrate, RETRY_FOR_S)


async def _reconnect(pool: AsyncConnectionPool) -> None:
    """Let the pool begin another attempt, unless it has a connection."""
    if not pool.get_stats().get("pool_available"):
        await pool.check()  # with no connection to check, it grows the pool


async def limit_waits(connection: AsyncConnection) -> None:
    """Limit how long this transaction is idle, and its statements wait and run (BUSY_ERRORS)."""
    await connection.execute(
        "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true),"
        " set_config('idle_in_transaction_session_timeout', %s, true)",
        (str(LOCK_WAIT_MS), str(STATEMENT_MS), str(IDLE_MS)),
    )


async def limit_idle(connection: AsyncConnection) -> None:
    """Limit how long this transaction is idle between its statements."""
    await connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", (str(IDLE_MS),)
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
