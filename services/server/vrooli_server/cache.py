"""The cached list of posts: a few seconds old at most, and spoiled by each change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from vrooli_shared.health import describe
from vrooli_shared.live import GENERATION
from vrooli_shared.redis_link import AWAY, PATIENCE_S

log = logging.getLogger(__name__)

TTL_S = 10
Make = Callable[[], Awaitable[bytes]]


async def cached_list(redis: Redis, limit: int, make: Make) -> tuple[bytes, bool]:
    """The list as JSON, and whether it came from the cache.

    The generation is read before the database is: see ``vrooli_shared.live``. Without Redis the
    list is simply made.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            generation = await redis.get(GENERATION) or 0
            key = f"vrooli:posts:list:{int(generation)}:{limit}"
            found = await redis.get(key)
    except AWAY as error:
        log.warning("the cache can't be read: %s", describe(error))
        return await make(), False
    if isinstance(found, bytes):
        return found, True
    made = await make()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await redis.set(key, made, ex=TTL_S)
    except AWAY as error:
        log.warning("the cache can't be written: %s", describe(error))
    return made, False
