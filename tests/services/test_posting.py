"""The one path through everything: post, queue, detector, verdict, live event."""

from __future__ import annotations

import httpx

from support.browser.page import decided, listening, post
from support.browser.pictures import drawn_face, landscape
from support.programs.backend import psql
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack


def test_a_harmless_picture_is_approved_and_shown(stack: Stack) -> None:
    """From the form to the picture, and the row in Postgres."""
    created = post(stack.url(), "A hill", landscape())
    assert created["state"] == "pending"
    assert created["picture_url"] is None
    approved = decided(stack.url(), created["id"])
    assert approved["state"] == "approved"
    assert approved["confidence"] > 90
    picture = httpx.get(stack.url() + approved["picture_url"])
    assert picture.content == landscape()
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"
    row = psql(
        stack.backend.folder,
        stack.backend.postgres.port,
        f"SELECT text, state, attempts FROM vrooli.posts WHERE id = '{created['id']}'",
    )
    assert row == "A hill|approved|1"


def test_a_picture_that_the_model_objects_to_is_refused_and_never_shown(stack: Stack) -> None:
    """The real model refuses the drawn face, since its label counts here."""
    created = post(stack.url(), "A portrait", drawn_face())
    refused = decided(stack.url(), created["id"])
    assert (refused["state"], refused["picture_url"]) == ("refused", None)
    assert 60 < refused["confidence"] < 90
    answer = httpx.get(f"{stack.url()}/api/posts/{created['id']}/picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "picture-not-approved")


def test_a_text_is_approved_without_moderation(stack: Stack) -> None:
    """There is nothing that the detector could look at."""
    created = post(stack.url(), "Only words")
    assert (created["state"], created["has_picture"]) == ("approved", False)
    answer = httpx.get(f"{stack.url()}/api/posts/{created['id']}/picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no-picture")


def test_an_unreadable_picture_fails_immediately(stack: Stack) -> None:
    """Another try would read it no better, so the queue isn't kept busy with it."""
    created = post(stack.url(), "Broken", landscape()[:100])
    failed = decided(stack.url(), created["id"])
    assert (failed["state"], failed["reason"]) == ("failed", "The picture can't be read.")
    attempts = f"SELECT attempts FROM vrooli.posts WHERE id = '{created['id']}'"
    assert psql(stack.backend.folder, stack.backend.postgres.port, attempts) == "1"


def test_every_server_publishes_a_verdict(stack: Stack) -> None:
    """A post through one replica shows on a page that listens to the other."""
    with listening(stack.url(1)) as page:
        created = post(stack.url(0), "Heard everywhere", landscape())
        wait_until(
            lambda: "approved" in page.states_of(created["id"]),
            PATIENCE_S,
            "the other page hears of it",
        )
    assert page.states_of(created["id"])[0] == "pending"


def test_the_list_is_cached_until_a_change(stack: Stack) -> None:
    """Miss, hit, change, miss; and the list after the change has the new post."""
    created = post(stack.url(), "First")
    answers = [httpx.get(f"{stack.url(n % 2)}/api/posts?limit=7") for n in range(2)]
    assert [answer.headers["x-cache"] for answer in answers] == ["miss", "hit"]
    changed = post(stack.url(), "Second")
    fresh = httpx.get(f"{stack.url(1)}/api/posts?limit=7")
    assert fresh.headers["x-cache"] == "miss"
    assert [p["id"] for p in fresh.json()["posts"]][:2] == [changed["id"], created["id"]]


def test_missing_resources_are_a_404_in_the_error_format(stack: Stack) -> None:
    """Unknown ids, words in place of ids, unknown routes and impossible limits."""
    for path, status in (
        ("/api/posts/5329aaaa-0000-4000-8000-000000000000", 404),
        ("/api/posts/none", 404),
        ("/api/posts/none/picture", 404),
        ("/api/nothing", 404),
        ("/api/posts?limit=0", 422),
        ("/api/posts?limit=²", 422),
        ("/api/posts?limit=" + "9" * 500, 422),
        ("/api/posts?limit=" + "9" * 5000, 414),
    ):
        answer = httpx.get(stack.url() + path)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]
