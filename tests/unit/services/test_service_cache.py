"""The cache of the list of posts, whatever the posts are."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.requests import Request

from vrooli_server import api, cache
from vrooli_server.state import State
from vrooli_shared.downloads import KEY
from vrooli_shared.live import GENERATION
from vrooli_shared.posts import Post


class FakeRedis:
    """A few commands on a dictionary."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.is_down = False

    async def mget(self, *keys: str) -> list[bytes | None]:
        if self.is_down:
            raise RedisConnectionError("down")
        return [self.data.get(key) for key in keys]

    async def set(self, key: str, value: bytes, ex: int) -> None:
        assert ex == cache.TTL_S
        self.data[key] = value


async def listed(redis: FakeRedis, limit: int, listing: bytes) -> tuple[bytes, bool]:
    """The cached list, or this one."""

    async def query() -> bytes:
        return listing

    return await cache.cached_list(cast("Redis", redis), limit, query)


async def test_a_list_is_cached_until_the_next_change() -> None:
    redis = FakeRedis()
    assert await listed(redis, 20, b"[1]") == (b"[1]", False)
    assert await listed(redis, 20, b"[2]") == (b"[1]", True)
    assert await listed(redis, 10, b"[3]") == (b"[3]", False)
    redis.data[GENERATION] = b"1"
    assert await listed(redis, 20, b"[4]") == (b"[4]", False)
    assert await listed(redis, 20, b"[5]") == (b"[4]", True)
    assert len(redis.data) == 3  # a change takes no more memory


async def test_all_lists_of_all_limits_take_little_of_redis() -> None:
    redis = FakeRedis()
    for limit in range(1, 201):
        await listed(redis, limit, b"x" * (cache.MAX_BYTES + 1 - limit % 2))
    assert sum(len(value) for value in redis.data.values()) < 32 * 1024**2
    assert len(redis.data) == 100  # the others are larger


async def test_without_redis_the_list_is_queried() -> None:
    redis = FakeRedis()
    redis.is_down = True
    assert await listed(redis, 20, b"[1]") == (b"[1]", False)


@pytest.mark.parametrize(("limit", "turns"), [(api.LIMIT_DEFAULT, 0), (api.LIMIT_MAX, 1)])
async def test_a_long_list_is_queried_when_its_client_has_a_turn(limit: int, turns: int) -> None:
    """Its response may be too large for the cache."""
    events: list[str] = []

    async def take_turn() -> None:
        events.append("turn")

    async def newest(_: int) -> list[Post]:
        events.append("query")
        return []

    state = object.__new__(State)
    for name, value in {"redis": FakeRedis(), "posts": SimpleNamespace(newest=newest)}.items():
        object.__setattr__(state, name, value)
    app = SimpleNamespace(state=SimpleNamespace(vrooli=state))
    query = f"limit={limit}".encode()
    scope = {"type": "http", "headers": [], "query_string": query, "app": app, KEY: take_turn}
    for hit in ("miss", "hit"):
        answer = await api.list_posts(Request(scope))
        assert (json.loads(bytes(answer.body)), answer.headers["x-cache"]) == ({"posts": []}, hit)
    assert events == ["turn"] * turns + ["query"]
