"""Empties the data of an application: all rows of its database, and all keys of its Redis."""

from __future__ import annotations

import asyncio

from vrooli.databases.postgres import application
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis

# How long a table may be in use, and all of it may take, seconds.
LOCK_S, LIMIT_S = 10, 60.0
# All tables but those of extensions and of migrations, whose rows say which tables exist. Totals
# of the reference services are measured again.
EMPTY = f"""
SET LOCAL lock_timeout = '{LOCK_S}s';
DO $$
DECLARE
    names text;
BEGIN
    SELECT string_agg(c.oid::regclass::text, ', ') INTO names
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relname NOT LIKE '%migrations%'
            AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
            );
    IF names IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY';
    END IF;
    IF to_regprocedure('vrooli.measure_storage()') IS NOT NULL THEN
        INSERT INTO vrooli.storage SELECT * FROM vrooli.measure_storage();
    END IF;
END
$$;
"""  # noqa: S608 - of constants


async def empty_postgres(postgres: Postgres) -> None:
    """Delete all rows of the application's database, in one transaction, as its user.

    Raises:
        PrerequisiteError: No pod is the primary, or the user has no login.
        StatementError: PostgreSQL refused it, for example as a table is in use for too long.
        WaitTimeoutError: It took too long.
    """
    await application.execute(postgres, EMPTY, LIMIT_S)


async def empty_redis(redis: Redis) -> int:
    """Delete all keys of Redis; returns their number before.

    Raises:
        PrerequisiteError: No pod is the master.
        RedisCommandError: Redis refused it.
    """
    master = await redis.master()
    keys = int(await redis.command(master, "DBSIZE"))
    async with asyncio.timeout(LIMIT_S):
        await redis.command(master, "FLUSHALL", limit_s=LIMIT_S)
    return keys
