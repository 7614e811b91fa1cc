"""The writer of drills on real data stores: what counts as durable, and what is removed."""

from __future__ import annotations

import pytest

from support.programs.backend import PASSWORD
from support.programs.services import Stack
from vrooli.drills import writer_program
from vrooli.drills.writer_program import Postgres, RedisMaster

pytestmark = pytest.mark.anyio

SECRET = {
    "DB_NAME": "vrooli",
    "DB_USER": "vrooli",
    "DB_PASSWORD": PASSWORD,
    "REDIS_PASSWORD": PASSWORD,
}


@pytest.fixture(autouse=True)
def settings(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the pod, with the passwords of the backend."""
    backend = stack.backend
    for name, value in backend.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGPORT", str(backend.pgbouncer.port))
    for name in ("POSTGRES_SECRET", "REDIS_SECRET"):
        monkeypatch.setenv(name, name)
    monkeypatch.setenv("REDIS_REPLICAS", "1")
    monkeypatch.setattr(writer_program, "secret", lambda _: SECRET)


async def test_acknowledged_rows_are_durable_until_they_are_removed() -> None:
    store = Postgres()
    await store.prepare()
    assert [await store.write(number) for number in (1, 2)] == [True, True]
    await store.forget()
    assert await store.present() == {1, 2}
    await store.clean()
    await store.prepare()
    assert await store.present() == set()
    await store.clean()
    await store.forget()


@pytest.mark.parametrize(("replicas", "is_durable"), [("1", True), ("0", False)])
async def test_keys_are_durable_when_all_replicas_have_them(
    monkeypatch: pytest.MonkeyPatch, replicas: str, is_durable: bool
) -> None:
    monkeypatch.setenv("REDIS_REPLICAS", replicas)
    store = RedisMaster()
    assert [await store.write(number) for number in (1, 2)] == [is_durable, is_durable]
    assert await store.present() == {1, 2}
    redis = await store.connection()
    assert 0 < await redis.ttl("drill:written:1") <= writer_program.EXPIRE_S
    await store.clean()
    assert await store.present() == set()
    await store.forget()
