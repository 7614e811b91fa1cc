"""Keeps the schema: migrates at the start, and again whenever a look finds something missing."""

from __future__ import annotations

import asyncio
import logging

import psycopg
from psycopg_pool import PoolTimeout

from vrooli_shared import health
from vrooli_shared.database import Database

log = logging.getLogger(__name__)

# Between two tries, seconds: the database may not be there yet, or someone restores it just now.
PAUSE_S = 2.0
PAUSE_MAX_S = 10.0


class SchemaKeeper:
    """Looks at the schema for the health check, and has it made where it is missing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = asyncio.Event()
        self._refusal = ""

    async def check(self) -> health.Details:
        """The database's part of the health report: it answers, and has what the service needs.

        Raises:
            health.CheckError: Something is missing; it says what, and why it can't be made.
        """
        report = await self._database.inspect()
        if report.is_complete:
            return {"schema": report.view()}
        self._wanted.set()
        why = f"; it can't be made: {self._refusal}" if self._refusal and report.missing else ""
        raise health.CheckError(report.problem + why, {"schema": report.view()})

    async def run(self) -> None:
        """Bring the schema up to date now and whenever a look misses something, until cancelled."""
        pause = PAUSE_S
        while True:
            self._wanted.clear()
            if await self._migrate():
                pause = PAUSE_S
                await self._wanted.wait()
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, PAUSE_MAX_S)

    async def _migrate(self) -> bool:
        """Whether the schema is complete now."""
        try:
            applied = await self._database.migrate()
            report = await self._database.inspect()
        except (psycopg.Error, PoolTimeout) as error:
            self._refuse(health.describe(error))
            return False
        if not report.is_complete:
            self._refuse(report.problem)
            return False
        log.info("the schema is up to date; applied now: %s", ", ".join(applied) or "nothing")
        self._refusal = ""
        return True

    def _refuse(self, why: str) -> None:
        if why != self._refusal:
            log.warning("the schema can't be brought up to date yet: %s", why)
        self._refusal = why
