"""Proofs that the new password works and the previous one does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, owned, pod, redis_cli, redis_pod
from vrooli.databases.postgres import pool
from vrooli.databases.postgres.pool import Login, LoginRejectedError
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.errors import VrooliError
from vrooli.operators.pgo import names
from vrooli.release.model import Release
from vrooli.rotation import proofs

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
NEW = {"DB_USER": "vrooli-alternate", "DB_NAME": "vrooli", "DB_PASSWORD": "new"}
OLD = {"DB_USER": "vrooli", "DB_NAME": "vrooli", "DB_PASSWORD": "old"}

pytestmark = pytest.mark.anyio


class _Connection:
    async def close(self) -> None: ...


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The passwords that the pool accepts."""
    result = {"new"}

    @asynccontextmanager
    async def address(postgres: Postgres, pod: str) -> AsyncIterator[int]:
        assert pod == "pool-0"
        yield 5432

    async def log_in(port: int, login: Login) -> Any:
        if login.password not in result:
            raise LoginRejectedError(f"{login.user} is rejected")
        return cast(Any, _Connection())

    monkeypatch.setattr(pool, "address", address)
    monkeypatch.setattr(pool, "log_in", log_in)
    monkeypatch.setattr(proofs, "REFUSED_S", 0.05)
    monkeypatch.setattr(proofs, "POLL_S", 0.01)
    return result


async def postgres() -> Postgres:
    labels = {names.CLUSTER_LABEL: "vrooli-pg", names.ROLE_LABEL: "pgbouncer"}
    body = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
    return await Postgres.of(FakeCluster(body, pod("pool-0", labels)), RELEASE)


async def test_postgres_refuses_the_previous_password(accepted: set[str]) -> None:
    proof = await proofs.prove_postgres(await postgres(), NEW, OLD)
    assert proof == "the pool accepts the new password and refuses the previous one"


async def test_an_unknown_previous_password_is_not_claimed_to_be_refused(
    accepted: set[str],
) -> None:
    assert await proofs.prove_postgres(await postgres(), NEW, {}) == (
        "the pool accepts the new password"
    )


async def test_a_previous_password_that_postgres_still_accepts_is_an_error(
    accepted: set[str],
) -> None:
    accepted.add("old")
    with pytest.raises(VrooliError, match="still accepts the previous password of vrooli"):
        await proofs.prove_postgres(await postgres(), NEW, OLD)


async def test_a_new_password_that_postgres_refuses_is_an_error(accepted: set[str]) -> None:
    accepted.clear()
    with pytest.raises(LoginRejectedError):
        await proofs.prove_postgres(await postgres(), NEW, OLD)


async def redis(*passwords: str) -> Redis:
    """A Redis that accepts these passwords."""
    body = owned("RedisFailover", "vrooli-rf", RELEASE.name)
    cluster = FakeCluster(body, redis_pod("rfr-0", "redis", "10.0.0.1"))

    def command(words: Any) -> Any:
        assert words[:2] == ["AUTH", "default"]
        is_accepted = words[2] in passwords
        return output('"OK"\n' if is_accepted else 'error:"WRONGPASS invalid username"\n')

    cluster.server.programs.handlers["dev", "rfr-0", "redis"] = redis_cli(command)
    return await Redis.of(cluster, RELEASE)


async def test_each_redis_refuses_the_previous_password() -> None:
    proof = await proofs.prove_redis(await redis("new"), "new", "old")
    assert proof == "rfr-0 accept the new password and refuse the previous one"


@pytest.mark.parametrize(
    ("passwords", "message"),
    [((), "refuses the new password"), (("new", "old"), "still accepts the previous password")],
)
async def test_a_redis_with_another_password_is_named(
    passwords: tuple[str, ...], message: str
) -> None:
    with pytest.raises(VrooliError, match=f"rfr-0 {message}"):
        await proofs.prove_redis(await redis(*passwords), "new", "old")
