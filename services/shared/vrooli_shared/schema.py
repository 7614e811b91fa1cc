"""The schema that the services require: its inspection and its migrations.

The tables are in a separate schema, since PostgreSQL 15 doesn't allow ordinary users to create
objects in ``public``. All names are qualified, so they don't depend on the search path or on the
role.
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
# Number of the advisory lock that allows only one replica to migrate at a time.
MIGRATION_LOCK = 5_329_4001


@dataclass(frozen=True)
class Table:
    """The columns of a table and the privileges that the services require.

    Attributes:
        columns: The names of the columns.
        rights: The privileges.
        migration: The migration that creates the table; empty if its rows are no data: the record
            of migrations, and the totals, which are measured again.
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
    "storage": _table("kind bytes", "SELECT UPDATE"),
}
# Prefix of the comment on a table that was lost and recreated; the time follows. The comment is
# stored with the table, readable by every replica, and removed by the restore of a backup.
REMADE = "made again without rows at "

# One row from the system catalogs; requires no privileges on the tables.
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
    """The state of the schema in a database.

    Attributes:
        user: The role that the statements run as.
        owner: The role that owns the schema; None if it doesn't exist.
        missing: The missing tables, columns and recorded migrations.
        refused: The privileges that the user lacks.
        recorded: The migrations that are recorded as applied.
        tables: The names of the existing tables.
        remade: When each lost table was recreated without its rows: ISO 8601, UTC.
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
        """Whether the services can use the schema."""
        return not self.missing and not self.refused

    @property
    def problem(self) -> str:
        """Description of the problem, or an empty string."""
        parts = []
        if self.missing:
            parts.append(f"schema missing: {', '.join(self.missing)}")
        if self.refused:
            parts.append(f"user {self.user} lacks {', '.join(self.refused)}")
        if parts and self.owner not in (None, self.user):
            parts.append(f"schema {NAME} belongs to {self.owner}, the service is {self.user}")
        return "; ".join(parts)

    def view(self) -> dict[str, Any]:
        """The state as in the health report."""
        return {
            "user": self.user,
            "owner": self.owner,
            "migrations": list(self.recorded),
            "missing": list(self.missing),
            "refused": list(self.refused),
            "remade": dict(self.remade),
        }


async def inspect(connection: AsyncConnection) -> Report:
    """Inspect the schema in the system catalogs, in two short queries.

    Raises:
        ReadOnlySqlTransaction: The database is read-only: a replica, or configured so.
    """
    rights = sorted({right for table in TABLES.values() for right in table.rights})
    row = await (await connection.execute(_INSPECT, (rights, NAME))).fetchone()
    if row is None:
        raise LookupError("the system catalogs returned no row")
    user, read_only, owner, usable, tables = row
    if read_only:
        raise errors.ReadOnlySqlTransaction("the database is read-only")
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
    """Create missing objects, in one transaction with a lock; never deletes anything.

    Runs the migrations that aren't recorded, or all of them if a table is missing; each creates
    only what doesn't exist. A recreated table is marked by a comment, since its rows are lost. What
    no migration can restore (a dropped column, a privilege) remains in the report of ``inspect``.

    Returns:
        The migrations that ran now.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
    report = await inspect(connection)
    # IF NOT EXISTS would require the privilege to create even if the schema exists.
    if report.owner is None:
        await connection.execute("CREATE SCHEMA vrooli")
    else:
        # Create tables as the owner, also if the login role is only a member of it.
        await connection.execute(
            "SELECT set_config('role', %(owner)s, true) WHERE pg_has_role(%(owner)s, 'MEMBER')",
            {"owner": report.owner},
        )
    if RECORD not in report.tables:
        await connection.execute(
            "CREATE TABLE vrooli.migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    is_table_missing = not report.tables.issuperset(TABLES)
    lost = [
        name
        for name, table in TABLES.items()
        if name not in report.tables and table.migration in report.recorded
    ]
    if lost:
        log.error("%s; recreated without rows, restore them from a backup", report.problem)
    applied = []
    for name, statements in MIGRATIONS:
        if is_table_missing or name not in report.recorded:
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
