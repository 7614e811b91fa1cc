"""Migrates the schema at startup, and again if a health check reports missing objects."""

from __future__ import annotations

import asyncio
import logging

import psycopg
from psycopg_pool import PoolTimeout

from vrooli_shared import health
from vrooli_shared.database import Database

log = logging.getLogger(__name__)

# Delay between attempts, seconds: the database may be starting or being restored. An attempt waits
# for a connection itself.
PAUSE_S = 2.0


class SchemaMigrator:
    """Checks the schema for the health report and migrates it if it is incomplete."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requested = asyncio.Event()
        # Why the last migration failed, and what was logged last.
        self._failure = self._warned = ""

    async def check(self) -> health.Details:
        """The database's part of the health report: it responds, and its schema is complete.

        Raises:
            health.CheckError: Something is missing; the message names it and why it can't be
            created.
        """
        report = await self._database.inspect()
        if report.is_complete:
            return {"schema": report.view()}
        self._requested.set()
        problem = report.problem
        if self._failure and report.missing:
            problem += f"; it can't be created: {self._failure}"
        raise health.CheckError(problem, {"schema": report.view()})

    async def run(self) -> None:
        """Migrate now and whenever a check reports missing objects, until cancelled."""
        while True:
            self._requested.clear()
            if await self._migrate():
                await self._requested.wait()
            else:
                await asyncio.sleep(PAUSE_S)

    async def _migrate(self) -> bool:
        """Whether the schema is complete now."""
        try:
            applied = await self._database.migrate()
            report = await self._database.inspect()
        except (psycopg.Error, PoolTimeout) as error:
            self._failure = health.describe(error)
            self._warn(self._failure)
            return False
        self._failure = ""
        if not report.is_complete:
            self._warn(report.problem)
            return False
        log.info("the schema is up to date; applied now: %s", ", ".join(applied) or "nothing")
        self._warned = ""
        return True

    def _warn(self, reason: str) -> None:
        if reason != self._warned:
            log.warning("the schema can't be brought up to date yet: %s", reason)
        self._warned = reason
