"""The database as the services use it: its pool under load, and what the jobs delete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from support.browser.page import health, post
from support.browser.pictures import landscape
from support.programs.backend import psql
from support.programs.processes import wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared.database import Database
from vrooli_shared.posts import Picture, Posts
from vrooli_shared.settings import Settings
from vrooli_shared.storage import StorageFullError

OPERATIONS = 3
DAY_S = 24 * 3600.0
# Bytes of a picture in the tests of the budget.
SIZE = 1000


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


async def test_hidden_pictures_make_room_and_a_picture_without_room_is_not_stored(
    stack: Stack, database: Database
) -> None:
    """The oldest failed one goes first; a picture that would need more leaves everything."""

    def query(text: str) -> str:
        return psql(stack.backend.folder, stack.backend.postgres.port, text).strip()

    await Posts(database).drop_hidden_pictures(0)
    total = int(query("SELECT coalesce(sum(octet_length(bytes)), 0) FROM vrooli.pictures"))
    posts = Posts(database, total + 3 * SIZE)
    refused, failed, newer = [await _store(posts, SIZE) for _ in range(3)]
    for post_id, state, hours in (
        (refused, "refused", 9),
        (failed, "failed", 2),
        (newer, "failed", 1),
    ):
        changed = f"state = '{state}', updated_at = now() - interval '{hours} hours'"
        query(f"UPDATE vrooli.posts SET {changed} WHERE id = '{post_id}'")

    def remaining() -> set[UUID]:
        made = f"post_id IN ('{refused}', '{failed}', '{newer}')"
        return set(map(UUID, query(f"SELECT post_id FROM vrooli.pictures WHERE {made}").split()))

    shown = await _store(posts, SIZE)
    assert remaining() == {refused, newer}
    before = query("SELECT count(*) FROM vrooli.posts")
    with pytest.raises(StorageFullError):
        await _store(posts, 2 * SIZE + 1)
    assert remaining() == {refused, newer}
    assert query("SELECT count(*) FROM vrooli.posts") == before
    await _store(posts, 2 * SIZE)
    assert remaining() == set()
    assert await posts.picture(shown) is not None


async def _store(posts: Posts, size: int) -> UUID:
    created = await posts.create(uuid4(), "A picture", Picture("image/png", bytes(size)))
    return created.post.id


async def test_concurrent_uploads_make_room_one_after_another(
    stack: Stack, database: Database
) -> None:
    await Posts(database).drop_hidden_pictures(0)
    query = "SELECT coalesce(sum(octet_length(bytes)), 0) FROM vrooli.pictures"
    folder, port = stack.backend.folder, stack.backend.postgres.port
    posts = Posts(database, int(psql(folder, port, query)) + OPERATIONS * SIZE)
    hidden = [str(await _store(posts, SIZE)) for _ in range(OPERATIONS)]
    names = "', '".join(hidden)
    psql(folder, port, f"UPDATE vrooli.posts SET state = 'failed' WHERE id IN ('{names}')")
    stored = await asyncio.gather(*(_store(posts, SIZE) for _ in range(OPERATIONS)))
    pictures = [await posts.picture(post_id) for post_id in stored]
    assert None not in pictures
    assert await posts.picture(UUID(hidden[0])) is None


def test_a_server_with_full_storage_stores_texts_only(stack: Stack) -> None:
    environment = {**stack.environment(), "PICTURES_MAX_BYTES": "0"}
    server = start_service("server-full", "vrooli_server", stack.backend.folder, environment)
    try:
        url = f"http://127.0.0.1:{server.port}"
        wait_until(partial(is_ready, url), 30, "the server is ready")
        files = {"picture": ("landscape.png", landscape(), "image/png")}
        refused = httpx.post(f"{url}/api/posts", data={"text": "A picture"}, files=files)
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage-full")
        assert "full" in refused.json()["error"]["message"]
        assert post(url, "A text")["state"] == "approved"
    finally:
        server.stop()


def test_a_report_through_an_ingress_has_no_details(stack: Stack) -> None:
    assert "queued" in health(stack.url())["queue"]
    answer = httpx.get(f"{stack.url()}/api/health", headers={"X-Forwarded-For": "192.0.2.1"})
    report = answer.json()
    assert report["status"] == "up"
    assert set(report["queue"]) == {"status", "latency_ms"}
    assert report["services"]["nsfw-detector"]["status"] == "up"
