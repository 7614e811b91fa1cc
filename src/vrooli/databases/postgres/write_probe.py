"""Measures the pause of writes as a client of the pool sees it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from vrooli.databases.postgres import pool
from vrooli.databases.postgres.pool import Login
from vrooli.errors import VrooliError, WaitTimeoutError

# The interval of writes, and the delay after a failed attempt, seconds.
INTERVAL_S, RETRY_S = 0.05, 0.05
# A transaction that the log contains, without a table (PostgreSQL 13 and later).
WRITE = "SELECT pg_current_xact_id()"


class WriteProbe:
    """Writes at intervals, and reconnects at once after an error.

    Attributes:
        writes: The number of acknowledged writes.
        longest_s: The longest time between two acknowledged writes, seconds.
    """

    def __init__(self, port: int, login: Login) -> None:
        self._port, self._login = port, login
        self._last = 0.0
        self._written = asyncio.Event()
        self.writes, self.longest_s = 0, 0.0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            with contextlib.suppress(VrooliError, psycopg.Error, OSError):
                connection = await pool.log_in(self._port, self._login)
                async with connection:
                    await self._write_on(connection)
            await asyncio.sleep(RETRY_S)

    async def _write_on(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            await connection.execute(WRITE)
            now = time.monotonic()
            if self.writes:
                self.longest_s = max(self.longest_s, now - self._last)
            self._last = now
            self.writes += 1
            self._written.set()
            await asyncio.sleep(INTERVAL_S)

    async def wait_for_write(self, limit_s: float) -> None:
        """Wait for the next acknowledged write.

        Raises:
            WaitTimeoutError: There is none within ``limit_s`` seconds.
        """
        self._written.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._written.wait()
        except TimeoutError:
            raise WaitTimeoutError(
                f"Writes through the pool do not succeed within {limit_s:g} s.",
                "Run `vrooli diagnose` to find the cause.",
            ) from None


@asynccontextmanager
async def probing(port: int, login: Login, limit_s: float) -> AsyncIterator[WriteProbe]:
    """Write during the block; its first write succeeds before the block starts.

    Raises:
        WaitTimeoutError: No write through the pool succeeds within ``limit_s`` seconds.
    """
    probe = WriteProbe(port, login)
    running = asyncio.create_task(probe.run())
    try:
        await probe.wait_for_write(limit_s)
        yield probe
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
