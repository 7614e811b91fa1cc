"""The pool of a PostgresCluster: its pause, and logins through it as pods log in.

PGO's pgBouncer has no administrator. Signals pause and resume it (pgbouncer(1), "Signals"): clients
without a server connection wait instead of failing. Its pause ends by itself, even if this process
is killed.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from vrooli.databases import programs
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube.objects import items, name, text, texts
from vrooli.kube.status import is_pod_ready
from vrooli.operators.pgo import names

CONTAINER = ROLE = "pgbouncer"
PORT = 5432
# The time limit of a login, seconds.
LOGIN_S = 5
# The time limit of a signal, seconds.
SIGNAL_S = 10.0
# Sends a signal to pgBouncer, which need not be the first process of its container.
_SIGNAL = (
    "sh -c 'for process in /proc/[0-9]*; do "
    'if [ "$(cat "$process/comm" 2>/dev/null)" = pgbouncer ]; then pid="${process#/proc/}"; fi; '
    "done; "
)
_PAUSE = (
    f'{_SIGNAL} kill -USR1 "$pid" && '
    '{ (sleep "$1"; kill -USR2 "$pid") </dev/null >/dev/null 2>&1 & }\' sh "$1"'
)
_RESUME = f'{_SIGNAL} kill -USR2 "$pid"\' sh'
# Part of the errors of PostgreSQL and pgBouncer for a wrong password.
_REJECTED = "authentication failed"


class LoginRejectedError(VrooliError):
    """PostgreSQL or its pool rejects the user or the password."""


@dataclass(frozen=True)
class Login:
    """A user of a database, with its password."""

    user: str
    database: str
    password: str = field(repr=False)


def selector(postgres: Postgres) -> str:
    """The label selector of the pods of the pool."""
    return f"{names.CLUSTER_LABEL}={postgres.name},{names.ROLE_LABEL}={ROLE}"


async def pods(postgres: Postgres) -> list[str]:
    """The ready pods of the pool, by name; empty if there is no pool."""
    bodies = await postgres.kube.list("v1", "Pod", postgres.namespace, selector(postgres))
    return sorted(name(body) for body in bodies if is_pod_ready(body))


async def pause(postgres: Postgres, pod: str, limit_s: float) -> None:
    """Make new sessions wait in a pod of the pool, for at most ``limit_s`` seconds."""
    await _run(postgres, pod, _PAUSE, [f"{limit_s:g}"])


async def resume(postgres: Postgres, pod: str) -> None:
    """End the pause of a pod of the pool; harmless without one."""
    await _run(postgres, pod, _RESUME, [])


async def _run(postgres: Postgres, pod: str, script: str, arguments: list[str]) -> None:
    place = Place(postgres.namespace, pod, CONTAINER)
    completed = await programs.run(postgres.kube, place, script, arguments, "", SIGNAL_S)
    if completed.exit_code:
        raise VrooliError(
            f"pgBouncer in pod {place} could not be signalled: {completed.stderr.strip()}"
        )


async def login_of(postgres: Postgres) -> Login:
    """The login of the first user of the PostgresCluster, from PGO's Secret.

    Raises:
        PrerequisiteError: There is none.
        ApiError: The Secret may not be read.
    """
    user = next(iter(items(postgres.body, "spec", "users")), {})
    secret_name = f"{postgres.name}-pguser-{text(user, 'name')}"
    secret = await postgres.kube.get("v1", "Secret", secret_name, postgres.namespace)
    databases = texts(user, "databases")
    if secret is None or not databases:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} has no user of a database: the Secret {secret_name} in "
            f"namespace {postgres.namespace} does not exist.",
            "Run `vrooli diagnose` to find the cause.",
        )
    password = base64.b64decode(secret["data"]["password"]).decode()
    return Login(text(user, "name"), databases[0], password)


@asynccontextmanager
async def address(postgres: Postgres, pod: str) -> AsyncIterator[int]:
    """A local port that is forwarded to a pod of the pool."""
    async with await postgres.kube.port_forward(postgres.namespace, pod, PORT) as port:
        yield port


async def log_in(port: int, login: Login) -> psycopg.AsyncConnection[Any]:
    """Log in through the pool on a local port; each statement is a transaction of its own.

    Raises:
        LoginRejectedError: The password is wrong.
        VrooliError: The login failed for another reason.
    """
    try:
        return await psycopg.AsyncConnection.connect(
            host="127.0.0.1",
            port=port,
            dbname=login.database,
            user=login.user,
            password=login.password,
            sslmode="require",
            gssencmode="disable",
            connect_timeout=LOGIN_S,
            autocommit=True,
        )
    except psycopg.Error as error:
        reason = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        kind = LoginRejectedError if _REJECTED in str(error) else VrooliError
        raise kind(f"PostgreSQL did not let {login.user} log in: {reason}") from error
