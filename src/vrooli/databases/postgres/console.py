"""psql in the primary of a PostgresCluster, for people."""

from __future__ import annotations

from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.databases.programs import READS
from vrooli.kube.execution import Program
from vrooli.kube.objects import items, texts

# Nothing that is typed stays in the pod, and the pod's own settings do not apply.
_PSQL = ("psql", "-X", "-v", "HISTFILE=/dev/null", "-v", "ON_ERROR_STOP=1")
_READ_ONLY = "-c default_transaction_read_only=on"


def database_of(postgres: Postgres) -> str:
    """The first database of the first user: that of the application."""
    for user in items(postgres.body, "spec", "users"):
        for database in texts(user, "databases"):
            return database
    return "postgres"


async def console(postgres: Postgres, database: str, marker: str, *, read_only: bool) -> Program:
    """An interactive psql, or one that reads statements from its input.

    Args:
        postgres: The PostgreSQL.
        database: The database.
        marker: The begin of its prompt.
        read_only: Whether transactions are read-only unless a statement changes that.

    Raises:
        PrerequisiteError: No pod is the primary.
    """
    prompts = [f"PROMPT{number}=[{marker}] %/%R%x%# " for number in (1, 2)]
    return await _program(
        postgres,
        ["env", f"PGOPTIONS={_READ_ONLY if read_only else ''}", *_PSQL]
        + [word for prompt in prompts for word in ("-v", prompt)]
        + ["-d", database],
    )


async def statements(
    postgres: Postgres, database: str, sql: str, *, read_only: bool, limit_s: float
) -> Program:
    """A psql that runs statements, which are not in its arguments, within a time limit.

    Raises:
        PrerequisiteError: No pod is the primary.
    """
    data = f"{sql}\n".encode()
    options = f"-c statement_timeout={limit_s:g}s" + (f" {_READ_ONLY}" if read_only else "")
    script = READS + 'env PGOPTIONS="$2" psql -X -v ON_ERROR_STOP=1 -d "$1" -f -'
    argv = ["sh", "-c", script, "sh", str(len(data)), f"{limit_s:g}", database, options]
    return await _program(postgres, argv, data)


async def _program(postgres: Postgres, argv: list[str], stdin: bytes = b"") -> Program:
    primary = await postgres.primary()
    return Program(postgres.namespace, primary.pod, CONTAINER, argv, stdin)
