"""The database as the services use it: its pool under load, and what the jobs delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg_pool import PoolTimeout

from support.browser.page import health, post, send
from support.browser.pictures import landscape
from support.programs.backend import add_database, psql, transaction
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared import storage
from vrooli_shared.database import Database, limit_waits
from vrooli_shared.idempotency import Key
from vrooli_shared.posts import Picture, Posts, State
from vrooli_shared.schema import MIGRATIONS
from vrooli_shared.settings import Settings
from vrooli_shared.storage import Budgets, StorageFullError, charge

OPERATIONS = 3
DAY_S = 24 * 3600.0
# Bytes of a picture in the tests of the budget.
SIZE = 1000
NO_LIMIT = 10**12
# A limit that no test reaches, seconds.
LIMIT_S = 120


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


async def test_the_health_check_does_not_wait_for_operations(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connections that operations may take are busy; another operation gives up."""
    monkeypatch.setattr("vrooli_shared.database.POOL_TIMEOUT_S", 1.0)
    monkeypatch.setattr("vrooli_shared.database.INSPECT_TIMEOUT_S", LIMIT_S)
    all_busy, may_end = asyncio.Barrier(OPERATIONS + 1), asyncio.Event()

    async def busy(connection: AsyncConnection) -> None:
        await connection.execute("SELECT 1")
        await all_busy.wait()
        await may_end.wait()

    async def work(connection: AsyncConnection) -> None:
        await connection.execute("SELECT 1")

    operations = [asyncio.create_task(database.run(busy)) for _ in range(OPERATIONS)]
    await all_busy.wait()
    await database.inspect()
    with pytest.raises(PoolTimeout, match="no connection was free"):
        await database.run(work, retry_for_s=0)
    may_end.set()
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


def _query(stack: Stack, text: str) -> str:
    return psql(stack.backend.folder, stack.backend.postgres.port, text).strip()


def _total(stack: Stack, kind: str = "pictures") -> int:
    return int(_query(stack, f"SELECT bytes FROM vrooli.storage WHERE kind = '{kind}'"))


def _measured(stack: Stack) -> dict[str, int]:
    rows = _query(stack, "SELECT kind || ' ' || bytes FROM vrooli.measure_storage()").splitlines()
    return {kind: int(size) for kind, size in map(str.split, rows)}


def _totals(stack: Stack) -> dict[str, int]:
    return {kind: _total(stack, kind) for kind in ("pictures", "texts")}


def _posts(database: Database, pictures: int = NO_LIMIT, texts: int = NO_LIMIT) -> Posts:
    return Posts(database, Budgets(pictures, texts))


async def test_hidden_pictures_make_room_and_a_picture_without_room_is_not_stored(
    stack: Stack, database: Database
) -> None:
    """The oldest failed one goes first; a picture that would need more leaves everything."""
    await Posts(database).drop_hidden_pictures(0)
    posts = _posts(database, _total(stack) + 3 * charge(SIZE))
    refused, failed, newer = [await _store(posts, SIZE) for _ in range(3)]
    for post_id, state, hours in (
        (refused, "refused", 9),
        (failed, "failed", 2),
        (newer, "failed", 1),
    ):
        changed = f"state = '{state}', updated_at = now() - interval '{hours} hours'"
        _query(stack, f"UPDATE vrooli.posts SET {changed} WHERE id = '{post_id}'")

    def remaining() -> set[UUID]:
        stored = f"post_id IN ('{refused}', '{failed}', '{newer}')"
        pictures = _query(stack, f"SELECT post_id FROM vrooli.pictures WHERE {stored}")
        return set(map(UUID, pictures.split()))

    shown = await _store(posts, SIZE)
    assert remaining() == {refused, newer}
    before = _query(stack, "SELECT count(*) FROM vrooli.posts")
    with pytest.raises(StorageFullError):
        await _store(posts, 4 * SIZE)
    assert remaining() == {refused, newer}
    assert _query(stack, "SELECT count(*) FROM vrooli.posts") == before
    await _store(posts, 2 * SIZE)
    assert remaining() == set()
    assert await posts.picture(shown) is not None
    assert _totals(stack) == _measured(stack)


async def _store(posts: Posts, size: int) -> UUID:
    created = await posts.create(uuid4(), "A picture", Picture("image/png", bytes(size)))
    return created.post.id


async def test_concurrent_uploads_make_room_one_after_another(
    stack: Stack, database: Database
) -> None:
    await Posts(database).drop_hidden_pictures(0)
    posts = _posts(database, _total(stack) + OPERATIONS * charge(SIZE))
    hidden = [str(await _store(posts, SIZE)) for _ in range(OPERATIONS)]
    names = "', '".join(hidden)
    _query(stack, f"UPDATE vrooli.posts SET state = 'failed' WHERE id IN ('{names}')")
    stored = await asyncio.gather(*(_store(posts, SIZE) for _ in range(OPERATIONS)))
    pictures = [await posts.picture(post_id) for post_id in stored]
    assert None not in pictures
    assert await posts.picture(UUID(hidden[0])) is None


async def test_uploads_that_make_room_lock_in_the_order_of_other_posts(
    stack: Stack,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A transaction that has stored a text stores a picture while an upload makes room."""
    posts = _posts(database)
    hidden = await _store(posts, SIZE)
    _query(stack, f"UPDATE vrooli.posts SET state = 'failed' WHERE id = '{hidden}'")
    insert = "INSERT INTO vrooli.posts (id, text, state) VALUES (%s, 'x', 'approved')"
    has_text, may_continue = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr("vrooli_shared.database.LOCK_WAIT_MS", LIMIT_S * 1000)

    async def write(connection: AsyncConnection) -> None:
        first, second = uuid4(), uuid4()
        await connection.execute(insert, (first,))
        has_text.set()
        await may_continue.wait()
        await connection.execute(insert, (second,))
        picture = "INSERT INTO vrooli.pictures VALUES (%s, 'image/png', 'x')"
        await connection.execute(picture, (second,))

    writer = asyncio.create_task(database.run(write))
    await has_text.wait()
    storing = asyncio.create_task(_store(_posts(database, _total(stack) + charge(1)), SIZE))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(LIMIT_S):
        while await asyncio.to_thread(_query, stack, waits) == "0":  # noqa: ASYNC110 - of PostgreSQL
            await asyncio.sleep(0.05)
    may_continue.set()
    await storing
    await writer
    assert "deadlock" not in caplog.text
    assert await posts.picture(hidden) is None


async def test_the_transaction_of_a_lost_process_blocks_no_posts(
    stack: Stack, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends it before the posts that wait for its locks give up."""
    monkeypatch.setattr("vrooli_shared.database.IDLE_MS", 1000)
    insert = "INSERT INTO vrooli.posts (id, text, state) VALUES (%s, 'x', 'approved')"
    has_locks, may_end = asyncio.Event(), asyncio.Event()

    async def lost(connection: AsyncConnection) -> None:
        await limit_waits(connection)
        await connection.execute(insert, (uuid4(),))
        has_locks.set()
        await may_end.wait()

    holder = asyncio.create_task(database.run(lost, retry_for_s=0))
    await has_locks.wait()
    post(stack.url(), "Meanwhile")
    may_end.set()
    with pytest.raises(psycopg.Error):
        await holder


async def test_texts_have_a_budget(stack: Stack, database: Database) -> None:
    posts = _posts(database, texts=_total(stack, "texts") + charge(100))
    with pytest.raises(StorageFullError, match="texts"):
        await posts.create(uuid4(), "x" * 200, None)
    await posts.create(uuid4(), "x" * 100, None)
    for picture in (None, Picture("image/png", b"x")):
        with pytest.raises(StorageFullError, match="texts"):
            await posts.create(uuid4(), "x", picture)


async def test_the_totals_are_right_after_concurrent_writes(
    stack: Stack, database: Database
) -> None:
    """Whoever writes: posts with keys, repeated ones, deleted pictures, deleted posts."""
    posts = _posts(database)

    async def write(number: int) -> None:
        key = Key(f"totals {number % 10}", b"the same")
        await posts.create(uuid4(), "x" * number, None, key)
        post_id = await _store(posts, number * 100)
        await posts.create(post_id, "again", Picture("image/png", b"x"))
        await posts.decide(post_id, State.FAILED, confidence=None, reason="Unreadable")
        await posts.drop_hidden_pictures(0)
        if number % 3 == 0:
            statement = f"DELETE FROM vrooli.posts WHERE id = '{post_id}'"
            await asyncio.to_thread(_query, stack, statement)

    await asyncio.gather(*(write(number) for number in range(20)))
    assert _totals(stack) == _measured(stack)


async def test_wrong_totals_are_corrected_while_posts_are_written(
    stack: Stack, database: Database
) -> None:
    posts = _posts(database)
    _query(stack, "UPDATE vrooli.storage SET bytes = bytes + 12345 WHERE kind = 'pictures'")
    corrected, *_ = await asyncio.gather(
        posts.correct_totals(), *(_store(posts, SIZE) for _ in range(2 * OPERATIONS))
    )
    assert corrected == 12345
    assert _totals(stack) == _measured(stack)
    assert await posts.correct_totals() == 0


def test_the_totals_of_an_existing_database_are_measured(stack: Stack) -> None:
    """A database of an earlier version, whose rows nobody counted."""
    add_database(stack.backend, "counted")
    folder, port = stack.backend.folder, stack.backend.postgres.port
    environment = {**stack.environment(), "DB_NAME": "counted"}
    old = "".join(statements for name, statements in MIGRATIONS if name < "0003")
    posts = "INSERT INTO vrooli.posts (id, text, state) SELECT gen_random_uuid(), 'x', 'approved'"
    psql(
        folder,
        port,
        f"SET ROLE vrooli; CREATE SCHEMA vrooli; {old} {posts} FROM generate_series(1, 10);"
        " INSERT INTO vrooli.pictures SELECT id, 'image/png', 'abc' FROM vrooli.posts",
        "counted",
    )
    server = start_service("server-counted", "vrooli_server", folder, environment)
    try:
        wait_until(
            partial(is_ready, f"http://127.0.0.1:{server.port}"), PATIENCE_S, "the server is ready"
        )
    finally:
        server.stop()
    totals = psql(folder, port, "SELECT kind, bytes FROM vrooli.storage ORDER BY 1", "counted")
    assert totals.split() == [f"pictures|{10 * charge(3)}", f"texts|{10 * charge(1)}"]


async def test_an_upload_does_not_wait_for_long_while_room_is_made(
    stack: Stack, database: Database
) -> None:
    """Another transaction holds the total: the upload fails in time, others are not affected."""
    posts = _posts(database, 0)
    async with _pictures_locked(database):
        with pytest.raises(LockNotAvailable):
            await _store(posts, SIZE)
        await posts.newest(1)


@asynccontextmanager
async def _pictures_locked(database: Database) -> AsyncIterator[None]:
    """Hold the total of the pictures in another transaction during the block."""
    has_lock, may_end = asyncio.Event(), asyncio.Event()

    async def hold(connection: AsyncConnection) -> None:
        await storage.lock_pictures(connection)
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        has_lock.set()
        await may_end.wait()

    holder = asyncio.create_task(database.run(hold))
    await has_lock.wait()
    try:
        yield
    finally:
        may_end.set()
        await holder


async def test_full_storage_is_remembered_for_a_moment(
    stack: Stack, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests for which no picture can be deleted do not look for one each time."""
    monkeypatch.setattr(storage, "FULL_S", LIMIT_S)
    posts = _posts(database, charge(SIZE) - 1)
    with pytest.raises(StorageFullError):
        await _store(posts, SIZE)
    async with _pictures_locked(database):  # a search would end with LockNotAvailable
        with pytest.raises(StorageFullError):
            await _store(posts, SIZE)


@pytest.mark.parametrize(("size", "rows"), [(0, 2000), (100, 2000), (10_000, 500), (500_000, 20)])
async def test_a_row_takes_no_more_than_its_charge(stack: Stack, size: int, rows: int) -> None:
    """Measured after a verdict on each post, with random bytes, which are not compressed."""
    name = f"charged_{size}"
    add_database(stack.backend, name)
    folder, port = stack.backend.folder, stack.backend.postgres.port
    chunk = "decode(md5(random()::text || n), 'hex')"
    data = f"(SELECT coalesce(string_agg({chunk}, ''), '') FROM generate_series(1, {size // 16}) n)"
    statements = "".join(statements for _, statements in MIGRATIONS)
    psql(
        folder,
        port,
        f"SET ROLE vrooli; CREATE SCHEMA vrooli; {statements}"
        " INSERT INTO vrooli.posts (id, text, state) SELECT gen_random_uuid(),"
        f" left(repeat(md5(r::text), 100), {min(size, 2000)}), 'pending'"
        f" FROM generate_series(1, {rows}) r;"
        f" INSERT INTO vrooli.pictures SELECT id, 'image/png', {data} FROM vrooli.posts p;"
        " UPDATE vrooli.posts SET state = 'failed', updated_at = now(), attempts = 3",
        name,
    )
    used = "sum(pg_total_relation_size(c.oid)) FROM pg_class c"
    tables = "c.relnamespace = 'vrooli'::regnamespace AND c.relname IN ('posts', 'pictures')"
    size_of_tables = int(psql(folder, port, f"SELECT {used} WHERE {tables}", name))
    charged = int(psql(folder, port, "SELECT sum(bytes) FROM vrooli.storage", name))
    assert size_of_tables <= charged


@pytest.mark.parametrize("full", ["PICTURES_MAX_BYTES", "TEXTS_MAX_BYTES"])
def test_a_server_with_full_storage_refuses_what_has_no_room(stack: Stack, full: str) -> None:
    """Without room for pictures it stores texts; without room for texts it still serves posts."""
    environment = {**stack.environment(), full: "0"}
    server = start_service("server-full", "vrooli_server", stack.backend.folder, environment)
    try:
        url = f"http://127.0.0.1:{server.port}"
        wait_until(partial(is_ready, url), PATIENCE_S, "the server is ready")
        refused = send(url, "A picture", landscape())
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage-full")
        assert "full" in refused.json()["error"]["message"]
        if full == "PICTURES_MAX_BYTES":
            assert post(url, "A text")["state"] == "approved"
        else:
            assert send(url, "A text").status_code == 507
            assert httpx.get(f"{url}/api/posts").status_code == 200
    finally:
        server.stop()


def test_an_upload_that_must_wait_is_answered_in_time(stack: Stack) -> None:
    """503 with Retry-After once the lock's limit is reached, not after the client's patience."""
    environment = {**stack.environment(), "PICTURES_MAX_BYTES": "1"}
    server = start_service("server-busy", "vrooli_server", stack.backend.folder, environment)
    hold = "SELECT FROM vrooli.storage WHERE kind = 'pictures' FOR UPDATE"
    try:
        url = f"http://127.0.0.1:{server.port}"
        wait_until(partial(is_ready, url), PATIENCE_S, "the server is ready")
        with transaction(stack.backend, hold):
            answer = send(url, "A picture", landscape())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    finally:
        server.stop()


def test_a_report_through_an_ingress_has_no_details(stack: Stack) -> None:
    assert "queued" in health(stack.url())["queue"]
    answer = httpx.get(f"{stack.url()}/api/health", headers={"X-Forwarded-For": "192.0.2.1"})
    report = answer.json()
    assert report["status"] == "up"
    assert set(report["queue"]) == {"status", "latency_ms"}
    assert report["services"]["nsfw-detector"]["status"] == "up"
