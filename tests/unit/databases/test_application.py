"""Statements on the tables of the application run as its user, in the primary."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import owned, postgres_pod
from vrooli.databases.postgres import application, pool
from vrooli.databases.postgres.pool import Login
from vrooli.databases.postgres.session import Postgres, StatementError
from vrooli.errors import WaitTimeoutError
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
PORT = 15432

pytestmark = pytest.mark.anyio


@pytest.fixture
async def postgres(monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """PostgreSQL with two instances; PORT leads to the primary."""
    secret = {
        "kind": "Secret",
        "metadata": {"name": "vrooli-pg-pguser-app"},
        "data": {"password": base64.b64encode(b"secret").decode()},
    }
    users = [{"name": "app", "databases": ["data"]}]
    body = owned("PostgresCluster", "vrooli-pg", RELEASE.name, users=users)
    pods = [postgres_pod("pg-a-0", "replica"), postgres_pod("pg-b-0", "master")]
    cluster = FakeCluster(body, secret, *pods)

    async def port_forward(namespace: str, pod: str, port: int) -> Any:
        assert (namespace, pod, port) == ("dev", "pg-b-0", 5432)

        @asynccontextmanager
        async def forward() -> AsyncIterator[int]:
            yield PORT

        return forward()

    monkeypatch.setattr(cluster, "port_forward", port_forward)
    return await Postgres.of(cluster, RELEASE)


async def test_statements_run_as_the_user_of_the_application(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def execute_on(port: int, login: Login, statements: str) -> Any:
        assert (port, login, statements) == (PORT, Login("app", "data", "secret"), "SELECT 1")
        return [(1,)]

    monkeypatch.setattr(application, "execute_on", execute_on)
    assert await application.execute(postgres, "SELECT 1", 5.0) == [(1,)]


async def test_a_statement_that_takes_too_long_ends(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def execute_on(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(application, "execute_on", execute_on)
    with pytest.raises(WaitTimeoutError, match="did not complete statements"):
        await application.execute(postgres, "SELECT 1", 0.01)


async def test_a_refused_statement_is_named_with_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        async def __aenter__(self) -> Connection:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

        def transaction(self) -> Connection:
            return self

        async def execute(self, statements: bytes) -> None:
            raise psycopg.errors.InsufficientPrivilege("permission denied\nLINE 1: secret")

    async def log_in(*_: object) -> Connection:
        return Connection()

    monkeypatch.setattr(pool, "log_in", log_in)
    with pytest.raises(StatementError, match=r"user app: permission denied$"):
        await application.execute_on(PORT, Login("app", "data", "secret"), "TRUNCATE x")
