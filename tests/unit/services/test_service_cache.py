"""The cache of the list of posts, whatever the posts are."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from vrooli_server import cache
from vrooli_shared.live import GENERATION


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
