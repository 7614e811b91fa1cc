"""What the health report says of a schema that is incomplete, and of a migration that failed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast

import psycopg
import pytest

from vrooli_shared import health
from vrooli_shared.database import Database
from vrooli_shared.schema import Report
from vrooli_shared.schema_migrator import SchemaMigrator

pytestmark = pytest.mark.anyio

PROBLEM = "schema missing: table vrooli.posts"


class Incomplete:
    """A database without a table, which no migration brings back."""

    def __init__(self, error: psycopg.Error | None = None) -> None:
        self.error = error

    async def migrate(self) -> list[str]:
        """Nothing is applied, or it fails."""
        if self.error:
            raise self.error
        return []

    async def inspect(self) -> Report:
        """A table is missing."""
        return Report("vrooli", "vrooli", ("table vrooli.posts",), (), (), frozenset())


async def _problem(database: Incomplete) -> str:
    migrator = SchemaMigrator(cast(Database, database))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):  # in the pause after its first attempt
            await migrator.run()
    with pytest.raises(health.CheckError) as failure:
        await migrator.check()
    return str(failure.value)


async def test_a_table_that_is_missing_after_a_migration_is_named_once() -> None:
    assert await _problem(Incomplete()) == PROBLEM


async def test_the_error_of_a_migration_is_the_reason() -> None:
    problem = await _problem(Incomplete(psycopg.errors.InsufficientPrivilege("permission denied")))
    assert problem == f"{PROBLEM}; it can't be created: InsufficientPrivilege: permission denied"
