"""The pool of PostgreSQL: its pause, its login, and the pause of writes that a client sees."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, owned, pod
from vrooli.databases.postgres import pool, write_probe
from vrooli.databases.postgres.pool import Login, LoginRejectedError
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.postgres.write_probe import probing
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.kube.execution import Completed
from vrooli.operators.pgo import names
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
LABELS = {names.CLUSTER_LABEL: "vrooli-pg", names.ROLE_LABEL: "pgbouncer"}
LOGIN = Login("vrooli", "vrooli", "secret")

pytestmark = pytest.mark.anyio


async def postgres(*objects: dict[str, Any], users: list[dict[str, Any]] | None = None) -> Postgres:
    spec = {"users": users} if users else {}
    body = owned("PostgresCluster", "vrooli-pg", RELEASE.name, **spec)
    return await Postgres.of(FakeCluster(body, *objects), RELEASE)


async def test_only_ready_pods_belong_to_the_pool() -> None:
    site = await postgres(pod("a", LABELS), pod("b", LABELS, is_ready=False))
    assert await pool.pods(site) == ["a"]


async def test_a_pause_ends_by_itself() -> None:
    site = await postgres(pod("a", LABELS))
    programs = site.kube.server.programs  # type: ignore[attr-defined]
    programs.handlers["dev", "a", "pgbouncer"] = lambda program: output("")
    await pool.pause(site, "a", 60)
    await pool.resume(site, "a")
    paused, resumed = (program.argv for program in programs.ran)
    assert "kill -USR1" in paused[2]
    assert 'sleep "$1"; kill -USR2' in paused[2]
    assert paused[-1] == "60"
    assert "kill -USR2" in resumed[2]
    assert "sleep" not in resumed[2]


async def test_a_pool_that_cannot_be_signalled_is_an_error() -> None:
    site = await postgres(pod("a", LABELS))
    programs = site.kube.server.programs  # type: ignore[attr-defined]
    programs.handlers["dev", "a", "pgbouncer"] = lambda program: Completed(1, "", "no process")
    with pytest.raises(VrooliError, match="could not be signalled: no process"):
        await pool.pause(site, "a", 60)


async def test_the_login_is_that_of_the_first_user() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "vrooli-pg-pguser-app"},
        "data": {"password": base64.b64encode(b"secret").decode()},
    }
    users = [{"name": "app", "databases": ["data"]}, {"name": "other", "databases": ["data"]}]
    login = await pool.login_of(await postgres(secret, users=users))
    assert login == Login("app", "data", "secret")
    assert "secret" not in repr(login)
    with pytest.raises(PrerequisiteError, match="vrooli-pg-pguser-app"):
        await pool.login_of(await postgres(users=users))


@pytest.mark.parametrize(
    ("text", "kind"),
    [("FATAL:  password authentication failed", LoginRejectedError), ("timeout", VrooliError)],
)
async def test_a_wrong_password_differs_from_other_failures(
    monkeypatch: pytest.MonkeyPatch, text: str, kind: type[VrooliError]
) -> None:
    async def connect(**settings: Any) -> None:
        assert settings["sslmode"] == "require"
        raise psycopg.OperationalError(text)

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    with pytest.raises(VrooliError) as error:
        await pool.log_in(5432, LOGIN)
    assert type(error.value) is kind
    assert "secret" not in error.value.message


class _Server:
    """Accepts writes, or none; counts the logins."""

    def __init__(self) -> None:
        self.is_up, self.logins = True, 0

    async def log_in(self, port: int, login: Login) -> Any:
        self.logins += 1
        if not self.is_up:
            raise VrooliError("down")
        return self

    async def __aenter__(self) -> _Server:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def execute(self, statement: str) -> None:
        if not self.is_up:
            raise psycopg.OperationalError("terminating connection")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> _Server:
    result = _Server()
    monkeypatch.setattr(pool, "log_in", result.log_in)
    monkeypatch.setattr(write_probe, "INTERVAL_S", 0.001)
    monkeypatch.setattr(write_probe, "RETRY_S", 0.001)
    return result


async def test_the_longest_time_without_a_write_is_measured(server: _Server) -> None:
    async with probing(5432, LOGIN, 5) as probe:
        server.is_up = False
        await asyncio.sleep(0.2)
        async with asyncio.timeout(60):
            while server.logins < 2:  # noqa: ASYNC110 - of the probe
                await asyncio.sleep(0.01)
        server.is_up = True
        await probe.wait_for_write(60)
        assert probe.longest_s >= 0.2
        assert server.logins > 1


async def test_writes_that_do_not_succeed_are_an_error(server: _Server) -> None:
    server.is_up = False
    with pytest.raises(WaitTimeoutError, match="do not succeed"):
        async with probing(5432, LOGIN, 0.01):
            pass
