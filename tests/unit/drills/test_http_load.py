"""The load of a drill: where it goes, and its bounds."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from vrooli.drills import http_load
from vrooli.drills.http_load import MOST_PER_S, Load, Losses, Target, Write, load
from vrooli.errors import VrooliError

HERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("target", "per_s"),
    [
        (Target("http://vrooli.com"), 1.0),
        (Target("http://127.0.0.1.example.com"), 1.0),
        (Target(HERE, api="http://10.0.0.1"), 1.0),
        (Target(HERE), MOST_PER_S + 1),
    ],
)
def test_a_load_stays_on_this_machine_and_below_its_rate(target: Target, per_s: float) -> None:
    async def start() -> None:
        async with load(target, per_s):
            pytest.fail("it started")

    with pytest.raises(ValueError, match="no load"):
        asyncio.run(start())


def _sent(
    monkeypatch: pytest.MonkeyPatch, target: Target, number: int, limit_s: float = 600.0
) -> Load:
    """A load of at least so many requests on a server that fails each read of the page."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={"id": "p"})
        return httpx.Response(503 if request.url.path == "/" else 200)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(Target, "client", lambda _: httpx.AsyncClient(transport=transport))

    async def run() -> Load:
        async with load(target, MOST_PER_S, limit_s=limit_s) as sent, asyncio.timeout(60):
            while sent.sent < number:  # noqa: ASYNC110 - it has no events
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        return sent

    return asyncio.run(run())


def test_failures_of_reads_and_writes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _sent(monkeypatch, Target(HERE), 5)
    assert sent.failed.keys() == {"HTTP 503"}
    assert all(failure.is_read for failure in sent.failures)
    assert {write.post_id for write in sent.writes} == {"p"}


def test_a_release_without_posts_is_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _sent(monkeypatch, Target(HERE, has_posts=False), 2)
    assert sent.writes == []
    assert len(sent.failures) == sent.sent > 1


def test_a_load_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _sent(monkeypatch, Target(HERE), 0, limit_s=0.0).sent == 0
    monkeypatch.setattr(http_load, "MOST_REQUESTS", 3)
    assert _sent(monkeypatch, Target(HERE), 3).sent == 3


def test_an_error_of_the_block_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    monkeypatch.setattr(Target, "client", lambda _: httpx.AsyncClient(transport=transport))

    async def run() -> None:
        async with load(Target(HERE, has_posts=False)):
            raise VrooliError("broken")

    with pytest.raises(VrooliError, match="broken"):
        asyncio.run(run())


def test_paths_of_the_api_may_have_another_address() -> None:
    target = Target(HERE, api="http://127.0.0.1:2")
    assert target.locate("/api/posts") == "http://127.0.0.1:2/api/posts"
    assert target.locate("/") == f"{HERE}/"


def test_rows_are_judged_by_text_and_id() -> None:
    sent = Load(name="l", writes=[Write("l 1", "a"), Write("l 2", "b"), Write("l 3")])
    assert sent.judge([("l 1", "a"), ("l 2", "b")]) == Losses()
    assert sent.judge([("l 1", "a")]) == Losses(lost=("l 2",))


def test_a_post_that_is_acknowledged_after_a_query_is_not_lost() -> None:
    sent = Load(name="l", writes=[Write("l 1", "a"), Write("l 2")])
    before = sent.acknowledged()
    sent.writes[1].post_id = "b"
    sent.writes.append(Write("l 3", "c"))
    assert before.judge([("l 1", "a")]) == Losses()
    assert before.judge([]) == Losses(lost=("l 1",))
