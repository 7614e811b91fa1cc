"""The database as the services use it: its pool under load, and what the jobs delete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from support.browser.page import health, post
from support.browser.pictures import landscape
from support.programs.backend import psql
from support.programs.services import Stack
from vrooli_shared.database import Database
from vrooli_shared.posts import Posts
from vrooli_shared.settings import Settings

OPERATIONS = 3
DAY_S = 24 * 3600.0


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """A pool of the stack's database."""
    settings = Settings.model_validate(
        {key.lower(): value for key, value in stack.environment().items()}
    )
    database = Database(settings.conninfo(), size=OPERATIONS)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def test_the_health_check_does_not_wait_for_operations(database: Database) -> None:
    """All connections that operations may take are busy; another operation gives up."""

    async def busy(connection: AsyncConnection) -> None:
        await connection.execute("SELECT pg_sleep(8)")

    async def work(connection: AsyncConnection) -> None:
        await connection.execute("SELECT 1")

    operations = [asyncio.create_task(database.run(busy)) for _ in range(OPERATIONS)]
    await asyncio.sleep(0.5)
    start = time.monotonic()
    await database.inspect()
    assert time.monotonic() - start < 1.5
    with pytest.raises(PoolTimeout, match="no connection was free"):
        await database.run(work, retry_for_s=0)
    await asyncio.gather(*operations)
    await database.run(work, retry_for_s=0)


@pytest.mark.parametrize("state", ["refused", "failed"])
async def test_pictures_that_are_never_shown_are_deleted(
    stack: Stack, database: Database, state: str
) -> None:
    created = post(stack.url(), f"A picture that is {state}", landscape())["id"]
    shown = post(stack.url(), "A picture that stays", landscape())["id"]

    def query(text: str) -> str:
        return psql(stack.backend.folder, stack.backend.postgres.port, text)

    changed = f"state = '{state}', updated_at = now() - interval '25 hours'"
    query(f"UPDATE vrooli.posts SET {changed} WHERE id = '{created}'")
    assert await Posts(database).drop_hidden_pictures(DAY_S) >= 1
    pictures = f"SELECT post_id FROM vrooli.pictures WHERE post_id IN ('{created}', '{shown}')"
    assert query(pictures).strip() == shown


def test_a_report_through_an_ingress_has_no_details(stack: Stack) -> None:
    assert "queued" in health(stack.url())["queue"]
    answer = httpx.get(f"{stack.url()}/api/health", headers={"X-Forwarded-For": "192.0.2.1"})
    report = answer.json()
    assert report["status"] == "up"
    assert set(report["queue"]) == {"status", "latency_ms"}
    assert report["services"]["nsfw-detector"]["status"] == "up"
