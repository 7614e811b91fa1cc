"""A request that is repeated under its key makes one post, whatever happened to the first try."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from support.browser.page import decided, post, send
from support.browser.pictures import landscape
from support.programs.backend import psql, transaction
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared.database import Database
from vrooli_shared.posts import Posts
from vrooli_shared.settings import Settings

# A client's budget: tries of one request, and the pause between two, seconds.
ATTEMPTS, PAUSE_S = 20, 0.5


def query(stack: Stack, statement: str) -> str:
    """What PostgreSQL itself says."""
    return psql(stack.backend.folder, stack.backend.postgres.port, statement)


def stored(stack: Stack, text: str) -> int:
    """How many posts have this text."""
    return int(query(stack, f"SELECT count(*) FROM vrooli.posts WHERE text = '{text}'"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """An error's status and name."""
    return answer.status_code, str(answer.json()["error"]["code"])


def send_until_accepted(url: str, text: str, key: str) -> httpx.Response:
    """What a client does that repeats a request: again under its key, until it is answered."""
    for _ in range(ATTEMPTS):
        with suppress(httpx.HTTPError):
            answer = send(url, text, key=key)
            if not answer.is_server_error and answer.status_code != httpx.codes.CONFLICT:
                return answer
        time.sleep(PAUSE_S)
    raise TimeoutError(f"{text} was not accepted in {ATTEMPTS} attempts")


def test_a_repeated_request_gets_the_first_response(stack: Stack) -> None:
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
    assert query(stack, f"SELECT count(*) FROM vrooli.idempotency_keys WHERE key = '{key}'") == "1"


def test_quotes_of_a_key_are_optional(stack: Stack) -> None:
    """Many clients leave the quotes out."""
    url, key = f"{stack.url()}/api/posts", str(uuid4())
    answers = [
        httpx.post(url, files={"text": (None, "Quoted")}, headers={"Idempotency-Key": header})
        for header in (key, f'"{key}"')
    ]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("picture", [None, landscape()[:-1]])
def test_a_key_can_not_be_reused_for_other_content(stack: Stack, picture: bytes | None) -> None:
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
def test_an_invalid_key_is_rejected(stack: Stack, header: str) -> None:
    """Before anything is stored under a name that the client doesn't know."""
    answer = httpx.post(
        f"{stack.url()}/api/posts",
        files={"text": (None, "No key")},
        headers=[(b"Idempotency-Key", header.encode())],
    )
    assert code_of(answer) == (400, "idempotency-key")
    assert stored(stack, "No key") == 0


def test_a_rejected_post_does_not_use_its_key(stack: Stack) -> None:
    """Only what was stored is remembered: a corrected post may use the key."""
    key = str(uuid4())
    assert send(stack.url(), " ", key=key).status_code == 422
    assert send(stack.url(), "Corrected", key=key).status_code == 201


def test_concurrent_requests_with_one_key_create_one_post(stack: Stack) -> None:
    """Of both servers: one stores it, the others get its answer, on a busy machine by a retry."""
    key = str(uuid4())

    def send_one(number: int) -> httpx.Response:
        return send_until_accepted(stack.url(number % 2), "At once", key)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(send_one, range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert stored(stack, "At once") == 1


def test_a_request_with_a_key_in_use_gets_a_409(stack: Stack) -> None:
    """It waits for a while, not for ever: connections are few."""
    key = str(uuid4())
    with transaction(stack.backend, f"SELECT pg_advisory_xact_lock(5329, hashtext('{key}'))"):
        answer = send(stack.url(), "Later", key=key)
    assert code_of(answer) == (409, "idempotency-key-in-use")
    assert answer.headers["retry-after"] == "1"
    assert send_until_accepted(stack.url(), "Later", key).status_code == 201
    assert stored(stack, "Later") == 1


def test_a_key_expires_after_a_day(stack: Stack) -> None:
    """Then it is a new one."""
    key = str(uuid4())
    first = post(stack.url(), "Yesterday", key=key)
    query(
        stack,
        "UPDATE vrooli.idempotency_keys SET created_at = now() - interval '25 hours'"
        f" WHERE key = '{key}'",
    )
    assert post(stack.url(), "Today", key=key)["id"] != first["id"]


async def test_the_jobs_delete_expired_keys(stack: Stack) -> None:
    """And no other, and no post."""
    old, new = str(uuid4()), str(uuid4())
    for key in (old, new):
        post(stack.url(), f"Of key {key}", key=key)
    age = "UPDATE vrooli.idempotency_keys SET created_at = now() - interval '25 hours'"
    query(stack, f"{age} WHERE key = '{old}'")
    settings = Settings.model_validate(
        {key.lower(): value for key, value in stack.environment().items()}
    )
    database = Database(settings.conninfo())
    await database.open()
    try:
        assert await Posts(database).drop_expired_keys() >= 1
    finally:
        await database.close()
    remaining = query(
        stack, f"SELECT key FROM vrooli.idempotency_keys WHERE key IN ('{old}', '{new}')"
    )
    assert remaining == new
    assert stored(stack, f"Of key {old}") == 1


def test_a_dry_run_is_rolled_back(stack: Stack) -> None:
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


def test_a_post_whose_response_was_lost_is_stored_once(stack: Stack) -> None:
    """The server is killed between the row and the answer, while it waits for Redis."""
    key = str(uuid4())
    errors: list[httpx.HTTPError] = []
    victim = start_service("victim", "vrooli_server", stack.backend.folder, stack.environment())
    url = f"http://127.0.0.1:{victim.port}"
    wait_until(lambda: is_ready(url), PATIENCE_S, "the server is ready")
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
        wait_until(lambda: stored(stack, "Lost answer") == 1, PATIENCE_S, "the post is stored")
        victim.stop(signal.SIGKILL)
        sending.join(60)
    finally:
        for running in frozen:
            assert running.process is not None
            running.process.send_signal(signal.SIGCONT)
    assert errors
    again = send(stack.url(), "Lost answer", landscape(), key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert stored(stack, "Lost answer") == 1
    wait_until(lambda: is_ready(stack.url()), PATIENCE_S, "Redis is back")
    # The one that was killed queued nothing; the repeated request did.
    assert decided(stack.url(), again.json()["id"])["state"] == "approved"


def test_a_server_killed_before_commit_stores_no_post(stack: Stack) -> None:
    """Its transaction ends with it, and the retry makes the post."""
    key = str(uuid4())
    errors: list[httpx.HTTPError] = []
    victim = start_service("blocked", "vrooli_server", stack.backend.folder, stack.environment())
    url = f"http://127.0.0.1:{victim.port}"
    wait_until(lambda: is_ready(url), PATIENCE_S, "the server is ready")

    def send_once() -> None:
        try:
            send(url, "Cut off", key=key)
        except httpx.HTTPError as error:
            errors.append(error)

    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with transaction(stack.backend, "LOCK TABLE vrooli.posts IN EXCLUSIVE MODE"):
        sending = threading.Thread(target=send_once)
        sending.start()
        wait_until(lambda: query(stack, waits) != "0", PATIENCE_S, "the post waits for the table")
        victim.stop(signal.SIGKILL)
        sending.join(60)
    assert errors
    assert send_until_accepted(stack.url(), "Cut off", key).status_code == 201
    assert stored(stack, "Cut off") == 1


def test_a_primary_that_crashes_under_load_stores_each_post_once(stack: Stack) -> None:
    """Three crashes while forty posts come, each repeated until it is answered."""
    keys = {f"Crash {number}": str(uuid4()) for number in range(40)}
    with ThreadPoolExecutor(8) as threads:
        sending = [
            threads.submit(send_until_accepted, stack.url(number % 2), text, key)
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
    rows = query(stack, "SELECT text, id FROM vrooli.posts WHERE text LIKE 'Crash %'")
    assert dict(row.split("|") for row in rows.splitlines()) == ids
