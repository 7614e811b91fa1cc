"""A post is deleted by who sent it, with its picture, on every page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from support.browser.page import decided, listening, post, send
from support.browser.pictures import landscape
from support.programs.backend import psql, transaction
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack


def query(stack: Stack, statement: str) -> str:
    """What PostgreSQL itself says."""
    return psql(stack.backend.folder, stack.backend.postgres.port, statement)


def delete(url: str, post_id: str, key: str | None) -> httpx.Response:
    """Ask to delete a post, with the key by which it was made."""
    headers = {} if key is None else {"Idempotency-Key": f'"{key}"'}
    return httpx.delete(f"{url}/api/posts/{post_id}", headers=headers, timeout=30)


def rows(stack: Stack, post_id: str) -> list[str]:
    """The number of rows that a post has in each table."""
    columns = {"posts": "id", "pictures": "post_id", "idempotency_keys": "post_id"}
    return [
        query(stack, f"SELECT count(*) FROM vrooli.{table} WHERE {column} = '{post_id}'")
        for table, column in columns.items()
    ]


def test_a_deleted_post_leaves_no_picture_no_key_and_no_place_in_the_list(stack: Stack) -> None:
    key = str(uuid4())
    before = query(stack, "SELECT kind, bytes FROM vrooli.storage ORDER BY kind")
    created = post(stack.url(0), "To be deleted", landscape(), key)
    url = decided(stack.url(), created["id"])["picture_url"]
    httpx.get(f"{stack.url(1)}/api/posts?limit=9")  # a cached list has it
    assert delete(stack.url(0), created["id"], key).status_code == 204
    assert rows(stack, created["id"]) == ["0", "0", "0"]
    assert query(stack, "SELECT kind, bytes FROM vrooli.storage ORDER BY kind") == before
    assert httpx.get(stack.url(1) + url).status_code == 404
    listed = httpx.get(f"{stack.url(1)}/api/posts?limit=9").json()["posts"]
    assert created["id"] not in [item["id"] for item in listed]


def test_a_deletion_can_be_repeated(stack: Stack) -> None:
    """The first response may have been lost."""
    key = str(uuid4())
    created = post(stack.url(), "Deleted twice", key=key)
    answers = [delete(stack.url(number), created["id"], key) for number in (0, 1, 0)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert delete(stack.url(), "no-uuid", key).status_code == 404


@pytest.mark.parametrize("key", [None, "another"])
def test_nobody_else_deletes_a_post(stack: Stack, key: str | None) -> None:
    created = post(stack.url(), "Somebody's", key=str(uuid4()))
    post(stack.url(), "Another's", key="another")
    answer = delete(stack.url(), created["id"], key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-sender")
    assert rows(stack, created["id"])[0] == "1"


def test_a_post_without_a_key_and_one_with_an_expired_key_stay(stack: Stack) -> None:
    key = str(uuid4())
    without, expired = (
        post(stack.url(), "Without a key"),
        post(stack.url(), "With an old key", key=key),
    )
    age = "UPDATE vrooli.idempotency_keys SET created_at = now() - interval '25 hours'"
    query(stack, f"{age} WHERE key = '{key}'")
    assert delete(stack.url(), without["id"], key).status_code == 403
    assert delete(stack.url(), expired["id"], key).status_code == 403


def test_an_invalid_key_is_refused(stack: Stack) -> None:
    answer = delete(stack.url(), str(uuid4()), "x" * 300)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency-key")


def test_every_page_hears_of_a_deletion(stack: Stack) -> None:
    key = str(uuid4())
    created = post(stack.url(), "Heard of", key=key)
    with listening(stack.url(1)) as page:
        delete(stack.url(0), created["id"], key)
        wait_until(
            lambda: ("deleted", {"id": created["id"]}) in page.events,
            PATIENCE_S,
            "the other page hears of it",
        )


def test_a_post_that_never_existed_is_not_announced(stack: Stack) -> None:
    key, unknown = str(uuid4()), str(uuid4())
    created = post(stack.url(), "Deleted last", key=key)
    with listening(stack.url(1)) as page:
        assert delete(stack.url(0), unknown, key).status_code == 204
        delete(stack.url(0), created["id"], key)
        wait_until(
            lambda: ("deleted", {"id": created["id"]}) in page.events,
            PATIENCE_S,
            "the other page hears of the later deletion",
        )
        assert ("deleted", {"id": unknown}) not in page.events


def test_a_deletion_locks_the_totals_in_the_order_of_posts(stack: Stack) -> None:
    """The texts first: a post and a deletion would otherwise wait for each other."""
    key = str(uuid4())
    created = post(stack.url(), "Waits", landscape(), key)
    decided(stack.url(), created["id"])
    total = "SELECT FROM vrooli.storage WHERE kind = '{}' FOR UPDATE {}"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, transaction(stack.backend, total.format("texts", "")):
        deletion = pool.submit(delete, stack.url(), created["id"], key)
        wait_until(lambda: query(stack, waiting) == "1", PATIENCE_S, "the deletion waits")
        query(stack, total.format("pictures", "NOWAIT"))
    assert deletion.result().status_code in (204, 503)
    assert delete(stack.url(), created["id"], key).status_code == 204


def test_posts_that_are_repeated_while_they_are_deleted_are_answered(stack: Stack) -> None:
    def write(number: int) -> list[int]:
        key, text = str(uuid4()), f"Number {number}"
        first = send(stack.url(0), text, key=key)
        with ThreadPoolExecutor(2) as pool:
            gone = pool.submit(delete, stack.url(0), first.json()["id"], key)
            again = pool.submit(send, stack.url(1), text, key=key)
        return [first.status_code, gone.result().status_code, again.result().status_code]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(12))) == [[201, 204, 201]] * 12
