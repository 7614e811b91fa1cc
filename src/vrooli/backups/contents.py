"""What is in a PostgreSQL: rows, columns, extensions and users, to compare a restored copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vrooli.databases.postgres.session import Postgres

# The time limit of counting all rows of a database, seconds.
COUNT_S = 600.0
_DATABASES = (
    "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
)
# A table may be replaced by a view between its listing and its count: the count is a superuser's,
# who would run the functions of that view. PostgreSQL has the setting since 12.20, 13.16, 14.13,
# 15.8 and 16.4, which mend the same in pg_dump (CVE-2024-7348).
COUNT = """DO $$ BEGIN PERFORM set_config(name, 'view, foreign-table', false)
  FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'; END $$;
SELECT format('SELECT %L, count(*) FROM %I.%I', schemaname || '.' || relname,
  schemaname, relname) FROM pg_stat_user_tables ORDER BY 1 \\gexec
"""
_COLUMNS = """SELECT table_schema || '.' || table_name AS table,
  string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) AS columns
  FROM information_schema.columns
  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1"""
_EXTENSIONS = "SELECT extname AS name, extversion AS version FROM pg_extension"
_USERS = "SELECT rolname AS name FROM pg_roles WHERE rolname !~ '^(pg_|_crunchy)'"


@dataclass(frozen=True)
class Contents:
    """The contents of a PostgreSQL.

    Attributes:
        rows: The rows of each table, by database and table: `vrooli: public.posts`.
        columns: The columns of each table.
        extensions: The version of each extension, by database and name.
        users: The roles.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    users: frozenset[str] = frozenset()


async def fetch_users(postgres: Postgres, pod: str = "") -> frozenset[str]:
    """Read the roles of the primary or of a pod, without those of PostgreSQL and of PGO."""
    return frozenset(row["name"] for row in await postgres.query(_USERS, pod=pod))


async def fetch(postgres: Postgres, pod: str = "") -> Contents:
    """Read the contents of all databases of the primary or of a pod.

    Raises:
        StatementError: PostgreSQL refused a query.
        WaitTimeoutError: The rows could not be counted in time.
    """
    rows: dict[str, int] = {}
    columns: dict[str, str] = {}
    extensions: dict[str, str] = {}
    pod = pod or (await postgres.primary()).pod
    for database in [row["name"] for row in await postgres.query(_DATABASES, pod=pod)]:
        counts = await postgres.execute(COUNT, database, pod=pod, limit_s=COUNT_S)
        rows |= {f"{database}: {table}": int(count or 0) for table, count in counts}
        described = await postgres.query(_COLUMNS, database, pod=pod)
        columns |= {f"{database}: {row['table']}": row["columns"] for row in described}
        installed = await postgres.query(_EXTENSIONS, database, pod=pod)
        extensions |= {f"{database}: {row['name']}": row["version"] for row in installed}
    return Contents(rows, columns, extensions, await fetch_users(postgres, pod))


def differences(restored: Contents, live: Contents) -> list[str]:
    """How the structure of restored data differs from what the release uses now."""
    return [
        *_compare("table", restored.columns, live.columns),
        *_compare("extension", restored.extensions, live.extensions),
        *(f"user {name} did not exist yet" for name in sorted(live.users - restored.users)),
        *(f"user {name} was dropped since" for name in sorted(restored.users - live.users)),
    ]


def _compare(what: str, restored: Mapping[str, str], live: Mapping[str, str]) -> list[str]:
    texts = []
    for name in sorted(restored.keys() | live.keys()):
        if name not in restored:
            texts.append(f"{what} {name} did not exist yet")
        elif name not in live:
            texts.append(f"{what} {name} does not exist any more")
        elif restored[name] != live[name]:
            texts.append(f"{what} {name} has other columns or another version")
    return texts
