"""Cache of the list of posts, invalidated by each change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from vrooli_shared.health import describe
from vrooli_shared.live import GENERATION
from vrooli_shared.redis_link import OPTIONAL_TIMEOUT_S, UNAVAILABLE_ERRORS

log = logging.getLogger(__name__)

TTL_S = 10
# A larger list is not cached, bytes: there is a list for each of 200 limits, and Redis also holds
# the queue.
MAX_BYTES = 128 * 1024
SEPARATOR = b":"
Query = Callable[[], Awaitable[bytes]]


async def cached_list(redis: Redis, limit: int, query: Query) -> tuple[bytes, bool]:
    """The list as JSON, and whether it came from the cache.

    The generation is read before the database, see ``vrooli_shared.live``. Without Redis, the list
    is always queried.
    """
    try:
        async with asyncio.timeout(OPTIONAL_TIMEOUT_S):
            key = f"vrooli:posts:list:{limit}"
            generation, cached = await redis.mget(GENERATION, key)
    except UNAVAILABLE_ERRORS as error:
        log.warning("the cache can't be read: %s", describe(error))
        return await query(), False
    head = b"%d" % int(generation or 0) + SEPARATOR
    if isinstance(cached, bytes) and cached.startswith(head):
        return cached.removeprefix(head), True
    listing = await query()
    if len(listing) > MAX_BYTES:
        return listing, False
    try:
        async with asyncio.timeout(OPTIONAL_TIMEOUT_S):
            await redis.set(key, head + listing, ex=TTL_S)
    except UNAVAILABLE_ERRORS as error:
        log.warning("the cache can't be written: %s", describe(error))
    return listing, False
