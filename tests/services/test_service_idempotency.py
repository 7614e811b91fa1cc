"""A request that is repeated under its key makes one post, whatever happened to the first try."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import uuid4

import httpx
import pytest

from support.browser.page import decided, post, send
from support.browser.pictures import landscape
from support.programs.backend import POSTGRES_BIN, psql
from support.programs.processes import wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared.database import Database
from vrooli_shared.posts import Posts
from vrooli_shared.settings import Settings

# A client's budget: tries of one request, and the pause between two, seconds.
TRIES, PAUSE_S = 20, 0.5


def ask(stack: Stack, statement: str) -> str:
    """What PostgreSQL itself says."""
    return psql(stack.backend.folder, stack.backend.postgres.port, statement)


def stored(stack: Stack, text: str) -> int:
    """How many posts have this text."""
    return int(ask(stack, f"SELECT count(*) FROM vrooli.posts WHERE text = '{text}'"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """An error's status and name."""
    return answer.status_code, str(answer.json()["error"]["code"])


def send_until_taken(url: str, text: str, key: str) -> httpx.Response:
    """What a client does that repeats a request: again under its key, until it is answered."""
    for _ in range(TRIES):
        with suppress(httpx.HTTPError):
            answer = send(url, text, key=key)
            if not answer.is_server_error and answer.status_code != httpx.codes.CONFLICT:
                return answer
        time.sleep(PAUSE_S)
    raise TimeoutError(f"{text} was not taken in {TRIES} tries")


@contextmanager
def transaction(stack: Stack, statement: str) -> Iterator[None]:
    """Keep what a statement locks until the block ends."""
    backend = stack.backend
    argv = [
        *(str(POSTGRES_BIN / "psql"), "-h", str(backend.folder / "pg"), "-U", "postgres"),
        *("-p", str(backend.postgres.port), "-d", "vrooli", "-q"),
        *("-c", f"BEGIN; {statement}; SELECT pg_sleep(60)"),
    ]
    process = subprocess.Popen(
        argv,
        user="postgres",
        cwd=backend.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    try:
        wait_until(lambda: ask(stack, f"SELECT count(*) {sleeping}") == "1", 5, "it has its locks")
        yield
    finally:
        ask(stack, f"SELECT count(pg_terminate_backend(pid)) {sleeping}")
        process.wait(10)


def test_the_same_request_again_gets_the_first_answer(stack: Stack) -> None:
    """Word for word, from either server, also after the verdict changed the post."""
    key, picture = str(uuid4()), landscape()
    first = send(stack.url(0), "Once", picture, key)
    assert decided(stack.url(), first.json()["id"])["state"] == "approved"
    again = send(stack.url(1), "Once", picture, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert ask(stack, f"SELECT count(*) FROM vrooli.idempotency_keys WHERE key = '{key}'") == "1"


def test_a_bare_key_is_the_same_as_one_in_quotes(stack: Stack) -> None:
    """Many clients leave the quotes out."""
    url, key = f"{stack.url()}/api/posts", str(uuid4())
    answers = [
        httpx.post(url, files={"text": (None, "Quoted")}, headers={"Idempotency-Key": header})
        for header in (key, f'"{key}"')
    ]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("picture", [None, landscape()[:-1]])
def test_a_key_belongs_to_what_was_sent_with_it(stack: Stack, picture: bytes | None) -> None:
    """Another text, another picture, or none: refused, and nothing is stored."""
    key = str(uuid4())
    post(stack.url(), "The first", landscape(), key)
    assert code_of(send(stack.url(1), "Another", landscape(), key)) == (
        422,
        "idempotency-key-reused",
    )
    assert code_of(send(stack.url(1), "The first", picture, key))[0] == 422
    assert stored(stack, "Another") == 0


@pytest.mark.parametrize("header", ["", '""', '"open', "ä", "x" * 256, 'a"b', '"a", "b"'])
def test_what_is_no_key_is_refused(stack: Stack, header: str) -> None:
    """Before anything is stored under a name that the client doesn't know."""
    answer = httpx.post(
        f"{stack.url()}/api/posts",
        files={"text": (None, "No key")},
        headers={"Idempotency-Key": header.encode()},
    )
    assert code_of(answer) == (400, "idempotency-key")
    assert stored(stack, "No key") == 0


def test_a_refused_post_leaves_its_key_free(stack: Stack) -> None:
    """Only what was stored is remembered: a corrected post may use the key."""
    key = str(uuid4())
    assert send(stack.url(), " ", key=key).status_code == 422
    assert send(stack.url(), "Corrected", key=key).status_code == 201


def test_many_at_once_with_one_key_make_one_post(stack: Stack) -> None:
    """Of both servers: one stores it, the others wait and get its answer."""
    key = str(uuid4())
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda n: send(stack.url(n % 2), "At once", key=key), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert stored(stack, "At once") == 1


def test_a_request_whose_twin_takes_long_is_told_to_come_again(stack: Stack) -> None:
    """It waits for a while, not for ever: connections are few."""
    key = str(uuid4())
    with transaction(stack, f"SELECT pg_advisory_xact_lock(5329, hashtext('{key}'))"):
        answer = send(stack.url(), "Later", key=key)
    assert code_of(answer) == (409, "idempotency-key-in-use")
    assert answer.headers["retry-after"] == "1"
    assert send_until_taken(stack.url(), "Later", key).status_code == 201
    assert stored(stack, "Later") == 1


def test_a_key_is_forgotten_after_a_day(stack: Stack) -> None:
    """Then it is a new one."""
    key = str(uuid4())
    first = post(stack.url(), "Yesterday", key=key)
    ask(
        stack,
        "UPDATE vrooli.idempotency_keys SET created_at = now() - interval '25 hours'"
        f" WHERE key = '{key}'",
    )
    assert post(stack.url(), "Today", key=key)["id"] != first["id"]


async def test_the_jobs_delete_the_keys_that_are_forgotten(stack: Stack) -> None:
    """And no other, and no post."""
    old, new = str(uuid4()), str(uuid4())
    for key in (old, new):
        post(stack.url(), f"Of key {key}", key=key)
    age = "UPDATE vrooli.idempotency_keys SET created_at = now() - interval '25 hours'"
    ask(stack, f"{age} WHERE key = '{old}'")
    settings = Settings.model_validate(
        {key.lower(): value for key, value in stack.environment().items()}
    )
    database = Database(settings.conninfo())
    await database.open()
    try:
        assert await Posts(database).drop_expired_keys() >= 1
    finally:
        await database.close()
    left = ask(stack, f"SELECT key FROM vrooli.idempotency_keys WHERE key IN ('{old}', '{new}')")
    assert left == new
    assert stored(stack, f"Of key {old}") == 1


def test_a_dry_run_stores_nothing(stack: Stack) -> None:
    """The post as it would be: stored and taken back, with its picture and its key."""
    key = str(uuid4())
    answer = send(stack.url(), "Only tried", landscape(), key, dry_run=True)
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert stored(stack, "Only tried") == 0
    assert post(stack.url(), "Another use of the key", key=key)["state"] == "approved"
    assert (
        httpx.post(f"{stack.url()}/api/posts?dry_run=yes", files={"text": (None, "x")}).status_code
        == 422
    )


def test_a_post_whose_answer_got_lost_is_not_made_twice(stack: Stack) -> None:
    """The server is killed between the row and the answer, while it waits for Redis."""
    key = str(uuid4())
    errors: list[httpx.HTTPError] = []
    victim = start_service("victim", "vrooli_server", stack.backend.folder, stack.environment())
    url = f"http://127.0.0.1:{victim.port}"
    wait_until(lambda: is_ready(url), 20, "the server is ready")
    frozen = [*stack.backend.redis, *stack.backend.sentinels]
    for running in frozen:
        assert running.process is not None
        running.process.send_signal(signal.SIGSTOP)

    def send_once() -> None:
        try:
            send(url, "Lost answer", landscape(), key)
        except httpx.HTTPError as error:
            errors.append(error)

    sending = threading.Thread(target=send_once)
    try:
        sending.start()
        wait_until(lambda: stored(stack, "Lost answer") == 1, 10, "the post is stored")
        victim.stop(signal.SIGKILL)
        sending.join(10)
    finally:
        for running in frozen:
            assert running.process is not None
            running.process.send_signal(signal.SIGCONT)
    assert errors
    again = send(stack.url(), "Lost answer", landscape(), key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert stored(stack, "Lost answer") == 1
    wait_until(lambda: is_ready(stack.url()), 40, "Redis is back")
    # The one that was killed queued nothing; the repeated request did.
    assert decided(stack.url(), again.json()["id"], limit_s=30)["state"] == "approved"


def test_a_killed_server_before_its_commit_leaves_nothing_behind(stack: Stack) -> None:
    """Its transaction ends with it, and the retry makes the post."""
    key = str(uuid4())
    errors: list[httpx.HTTPError] = []
    victim = start_service("blocked", "vrooli_server", stack.backend.folder, stack.environment())
    url = f"http://127.0.0.1:{victim.port}"
    wait_until(lambda: is_ready(url), 20, "the server is ready")

    def send_once() -> None:
        try:
            send(url, "Cut off", key=key)
        except httpx.HTTPError as error:
            errors.append(error)

    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with transaction(stack, "LOCK TABLE vrooli.posts IN EXCLUSIVE MODE"):
        sending = threading.Thread(target=send_once)
        sending.start()
        wait_until(lambda: ask(stack, waits) != "0", 10, "the post waits for the table")
        victim.stop(signal.SIGKILL)
        sending.join(10)
    assert errors
    assert send_until_taken(stack.url(), "Cut off", key).status_code == 201
    assert stored(stack, "Cut off") == 1


def test_a_primary_that_crashes_under_load_stores_each_post_once(stack: Stack) -> None:
    """Three crashes while forty posts come, each repeated until it is answered."""
    keys = {f"Crash {number}": str(uuid4()) for number in range(40)}
    with ThreadPoolExecutor(8) as threads:
        sending = [
            threads.submit(send_until_taken, stack.url(number % 2), text, key)
            for number, (text, key) in enumerate(keys.items())
        ]
        for _ in range(3):
            time.sleep(0.4)
            stack.backend.postgres.stop(signal.SIGQUIT)
            stack.backend.postgres.start()
        answers = [future.result() for future in sending]
    assert {answer.status_code for answer in answers} == {201}
    assert {text: stored(stack, text) for text in keys} == dict.fromkeys(keys, 1)
    ids = {answer.json()["text"]: answer.json()["id"] for answer in answers}
    rows = ask(stack, "SELECT text, id FROM vrooli.posts WHERE text LIKE 'Crash %'")
    assert dict(row.split("|") for row in rows.splitlines()) == ids
