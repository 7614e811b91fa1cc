"""SQL with the rights of the application's user only.

A superuser who touches the tables of that user would run its triggers, views and functions with
all rights of the server.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

from vrooli.databases.postgres import pool
from vrooli.databases.postgres.pool import PORT, Login
from vrooli.databases.postgres.session import Postgres, StatementError
from vrooli.errors import WaitTimeoutError


async def execute(postgres: Postgres, statements: str, limit_s: float) -> list[tuple[Any, ...]]:
    """Run statements in the application's database, in one transaction.

    Args:
        postgres: The PostgreSQL.
        statements: One or several statements.
        limit_s: How long all of it may take, seconds.

    Returns:
        The rows of the last statement.

    Raises:
        PrerequisiteError: No pod is the primary, or the user has no login.
        StatementError: PostgreSQL refused a statement; nothing was changed.
        WaitTimeoutError: They took too long; nothing was changed.
    """
    login, primary = await pool.login_of(postgres), await postgres.primary()
    forward = await postgres.kube.port_forward(postgres.namespace, primary.pod, PORT)
    try:
        async with asyncio.timeout(limit_s), forward as port:
            return await execute_on(port, login, statements)
    except TimeoutError:
        raise WaitTimeoutError(
            f"PostgreSQL {postgres.name} did not complete statements within {limit_s:g} s.",
            "Run `vrooli diagnose` to find the cause.",
        ) from None


async def execute_on(port: int, login: Login, statements: str) -> list[tuple[Any, ...]]:
    """As ``execute``, on a local port.

    Raises:
        VrooliError: The login failed.
        StatementError: PostgreSQL refused a statement; nothing was changed.
    """
    connection = await pool.log_in(port, login)
    try:
        async with connection, connection.transaction():
            # Without parameters, one message may have several statements.
            cursor = await connection.execute(statements.encode())
            while cursor.nextset():
                pass
            return await cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        reason = str(error).partition("\n")[0]
        raise StatementError(
            f"PostgreSQL refused a statement of the user {login.user}: {reason}"
        ) from error
