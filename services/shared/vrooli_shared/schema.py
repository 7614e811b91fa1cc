"""The schema that the services need: what of it is there, and how the rest is made.

The tables live in a schema of their own (since PostgreSQL 15 an ordinary user may create nothing in
``public``) and are always named with it: neither the search path nor the name of the role that
logs in decides which tables these are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection, errors, sql

log = logging.getLogger(__name__)

NAME = "vrooli"
# An arbitrary number, the same in every replica: only one of them migrates at a time.
MIGRATION_LOCK = 5_329_4001


@dataclass(frozen=True)
class Table:
    """The columns of a table and the rights on it that the services need.

    Attributes:
        columns: The columns' names.
        rights: The rights.
        migration: The migration that makes it; empty for the record of the migrations.
    """

    columns: frozenset[str]
    rights: frozenset[str]
    migration: str = ""


def _table(columns: str, rights: str, migration: str = "") -> Table:
    return Table(frozenset(columns.split()), frozenset(rights.split()), migration)


def _read_migrations() -> tuple[tuple[str, str], ...]:
    folder = files("vrooli_shared") / "migrations"
    scripts = [item for item in folder.iterdir() if item.name.endswith(".sql")]
    by_name = sorted(scripts, key=lambda item: item.name)
    return tuple((item.name, item.read_text()) for item in by_name)


# Each as (name, SQL), in their order.
MIGRATIONS = _read_migrations()
RECORD = "migrations"
TABLES: Mapping[str, Table] = {
    RECORD: _table("name applied_at", "SELECT"),
    "posts": _table(
        "id text state confidence reason attempts created_at updated_at",
        "SELECT INSERT UPDATE",
        "0001_posts.sql",
    ),
    "pictures": _table("post_id media_type bytes", "SELECT INSERT DELETE", "0001_posts.sql"),
    "idempotency_keys": _table(
        "key fingerprint post_id answer created_at",
        "SELECT INSERT DELETE",
        "0002_idempotency_keys.sql",
    ),
}
# What the comment of a table begins with that was made again after it was lost; then the time. A
# comment stays with the table, every replica can read it, and a backup that is restored ends it.
REMADE = "made again without rows at "

# One row from the catalogues, which are in memory; it needs no right on the tables themselves.
_INSPECT = """SELECT current_user::text AS user,
    current_setting('transaction_read_only')::bool AS read_only,
    pg_get_userbyid(n.nspowner)::text AS owner,
    coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
    coalesce((SELECT jsonb_object_agg(c.relname, jsonb_build_object(
        'columns', (SELECT jsonb_agg(a.attname) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'comment', obj_description(c.oid, 'pg_class'),
        'rights', (SELECT jsonb_agg(r) FROM unnest(%s::text[]) r
            WHERE has_table_privilege(c.oid, r))))
        FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')), '{}') AS tables
    FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = %s"""


@dataclass(frozen=True)
class Report:
    """What the database has of the schema.

    Attributes:
        user: The role that the statements run as.
        owner: The role that owns the schema; None where there is no schema.
        missing: The tables, columns and recorded migrations that aren't there.
        refused: The rights that the user lacks on what is there.
        recorded: The migrations that are recorded as applied.
        tables: The names of the tables that are there.
        remade: When each table was made again, without its rows, that had been lost: ISO 8601, UTC.
    """

    user: str
    owner: str | None
    missing: tuple[str, ...]
    refused: tuple[str, ...]
    recorded: tuple[str, ...]
    tables: frozenset[str]
    remade: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the services can work with it."""
        return not self.missing and not self.refused

    @property
    def problem(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        parts = []
        if self.missing:
            parts.append(f"schema missing: {', '.join(self.missing)}")
        if self.refused:
            parts.append(f"user {self.user} lacks {', '.join(self.refused)}")
        if parts and self.owner not in (None, self.user):
            parts.append(f"schema {NAME} belongs to {self.owner}, the service is {self.user}")
        return "; ".join(parts)

    def view(self) -> dict[str, Any]:
        """What the health report shows of it."""
        return {
            "user": self.user,
            "owner": self.owner,
            "migrations": list(self.recorded),
            "missing": list(self.missing),
            "refused": list(self.refused),
            "remade": dict(self.remade),
        }


async def inspect(connection: AsyncConnection) -> Report:
    """Look at the database's catalogues for what the services need, in two short queries.

    Raises:
        ReadOnlySqlTransaction: The database takes no writes: a replica, or set so.
    """
    rights = sorted({right for table in TABLES.values() for right in table.rights})
    row = await (await connection.execute(_INSPECT, (rights, NAME))).fetchone()
    if row is None:
        raise LookupError("the catalogues gave no row")
    user, read_only, owner, usable, tables = row
    if read_only:
        raise errors.ReadOnlySqlTransaction("the database takes no writes now")
    recorded: tuple[str, ...] = ()
    readable = usable and "SELECT" in (tables.get(RECORD, {}).get("rights") or ())
    if readable:
        cursor = await connection.execute("SELECT name FROM vrooli.migrations ORDER BY name")
        recorded = tuple(name for (name,) in await cursor.fetchall())
    missing = list(_missing(owner, tables))
    if readable:
        missing += [f"record of {name}" for name, _ in MIGRATIONS if name not in recorded]
    refused = list(_refused(tables))
    if owner is not None and not usable:
        refused.insert(0, f"USAGE on schema {NAME}")
    remade = {
        name: comment.removeprefix(REMADE)
        for name, table in sorted(tables.items())
        if (comment := table["comment"] or "").startswith(REMADE)
    }
    return Report(user, owner, tuple(missing), tuple(refused), recorded, frozenset(tables), remade)


def _missing(owner: str | None, tables: Mapping[str, Any]) -> Iterable[str]:
    if owner is None:
        yield f"schema {NAME}"
    for name, table in TABLES.items():
        if name not in tables:
            yield f"table {NAME}.{name}"
            continue
        lost = table.columns - set(tables[name]["columns"] or ())
        yield from (f"column {NAME}.{name}.{column}" for column in sorted(lost))


def _refused(tables: Mapping[str, Any]) -> Iterable[str]:
    for name, table in TABLES.items():
        if name in tables:
            lost = table.rights - set(tables[name]["rights"] or ())
            yield from (f"{right} on {NAME}.{name}" for right in sorted(lost))


async def migrate(connection: AsyncConnection) -> list[str]:
    """Make what is missing, in one transaction under one lock; never drops or empties anything.

    A migration runs when it isn't recorded, and all of them run again when a table is gone that
    the record says was made: each makes only what isn't there. A table that is made again says so
    in its comment, since its rows are gone. What no migration can bring back (a dropped column, a
    right) stays in the report of ``inspect``.

    Returns:
        The migrations that ran now.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
    report = await inspect(connection)
    # Looked at first: IF NOT EXISTS asks for the right to create even where nothing is created.
    if report.owner is None:
        await connection.execute("CREATE SCHEMA vrooli")
    else:
        # A member of the owner makes tables as the owner, whether or not its sessions do so anyway.
        await connection.execute(
            "SELECT set_config('role', %(owner)s, true) WHERE pg_has_role(%(owner)s, 'MEMBER')",
            {"owner": report.owner},
        )
    if RECORD not in report.tables:
        await connection.execute(
            "CREATE TABLE vrooli.migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    again = not report.tables.issuperset(TABLES)
    lost = [
        name
        for name, table in TABLES.items()
        if name not in report.tables and table.migration in report.recorded
    ]
    if lost:
        log.error("%s; made anew, without rows: a backup may have them", report.problem)
    applied = []
    for name, statements in MIGRATIONS:
        if again or name not in report.recorded:
            await connection.execute(statements.encode())
            await connection.execute(
                "INSERT INTO vrooli.migrations (name) VALUES (%s)"
                " ON CONFLICT (name) DO UPDATE SET applied_at = now()",
                (name,),
            )
            applied.append(name)
    comment = sql.Literal(f"{REMADE}{datetime.now(UTC).isoformat(timespec='seconds')}")
    for name in lost:
        table = sql.Identifier(NAME, name)
        await connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, comment))
    return applied
