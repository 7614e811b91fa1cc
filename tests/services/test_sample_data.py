"""Sample posts are written once; the data is emptied while a server writes."""

from __future__ import annotations

import asyncio
import subprocess
import threading

import httpx
import pytest

from support.browser.page import send
from support.programs.backend import PASSWORD, psql
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack
from vrooli.databases import emptying
from vrooli.databases.postgres import application
from vrooli.databases.postgres.pool import Login
from vrooli.development import sample_posts
from vrooli.events import Progress

COUNT = "SELECT count(*) FROM vrooli.posts"
# Posts before and after the data is emptied.
SOME = 20


def flush(stack: Stack) -> None:
    """Delete all keys of the master, as `db reset` does."""
    for redis in stack.backend.redis:
        argv = ["redis-cli", "-p", str(redis.port), "--no-auth-warning", "-a", PASSWORD]
        role = subprocess.run([*argv, "ROLE"], check=True, capture_output=True, text=True)
        if role.stdout.startswith("master"):
            subprocess.run([*argv, "FLUSHALL"], check=True, capture_output=True)
            return
    pytest.fail("no Redis is the master")


async def empty(stack: Stack) -> None:
    """Delete all rows, as `db reset` does."""
    port = stack.backend.postgres.port
    await application.execute_on(port, Login("vrooli", "vrooli", PASSWORD), emptying.EMPTY)


def ask(stack: Stack, statement: str) -> str:
    """What PostgreSQL answers."""
    return psql(stack.backend.folder, stack.backend.postgres.port, statement)


async def test_sample_posts_are_written_once(stack: Stack) -> None:
    await sample_posts.write(stack.url(), Progress())
    posts, written = await sample_posts.write(stack.url(1), Progress())
    assert written == 0
    assert [post.text for post in posts] == [text for text, _ in sample_posts.POSTS]
    assert {post.state for post in posts} == {"approved"}


async def test_data_is_emptied_while_a_server_writes(stack: Stack) -> None:
    answers, is_ended = list[int](), threading.Event()

    def write() -> None:
        while not is_ended.is_set():
            answers.append(send(stack.url(), f"post {len(answers)}").status_code)

    migrations = ask(stack, "SELECT count(*) FROM vrooli.migrations")
    writing = asyncio.create_task(asyncio.to_thread(write))
    try:
        await asyncio.to_thread(wait_until, lambda: len(answers) > SOME, PATIENCE_S, "written")
        before = len(answers)
        await empty(stack)
        flush(stack)
        most = before + SOME
        await asyncio.to_thread(wait_until, lambda: len(answers) > most, PATIENCE_S, "again")
    finally:
        is_ended.set()
        await writing
    assert set(answers) == {httpx.codes.CREATED}
    # The request that waited for the reset may be among those from before it.
    assert int(ask(stack, COUNT)) <= len(answers) - before + 1
    assert ask(stack, "SELECT count(*) FROM vrooli.migrations") == migrations
    drift = "SELECT count(*) FROM vrooli.storage s JOIN vrooli.measure_storage() m USING (kind)"
    assert ask(stack, f"{drift} WHERE s.bytes <> m.bytes") == "0"

    await empty(stack)
    flush(stack)
    assert ask(stack, COUNT) == "0"
    async with httpx.AsyncClient(base_url=stack.url()) as client:
        assert (await client.get("/api/posts")).json()["posts"] == []
    # The jobs' queue works on.
    posts, written = await sample_posts.write(stack.url(), Progress())
    assert written == len(posts)


# A trigger that its owner could use for the rights of whoever empties the table.
TRAP = """
SET ROLE vrooli;
CREATE TABLE vrooli.trap_log (rights text);
CREATE TABLE vrooli.trap (id int);
CREATE FUNCTION vrooli.spring() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO vrooli.trap_log VALUES (session_user); RETURN NULL; END $$;
CREATE TRIGGER spring AFTER TRUNCATE ON vrooli.trap EXECUTE FUNCTION vrooli.spring();
"""


async def test_triggers_get_no_rights_of_a_superuser(stack: Stack) -> None:
    ask(stack, TRAP)
    try:
        await empty(stack)
        assert ask(stack, "SELECT rights FROM vrooli.trap_log") == "vrooli"
    finally:
        ask(stack, "DROP TABLE vrooli.trap, vrooli.trap_log; DROP FUNCTION vrooli.spring()")
