"""Change notifications of posts, sent to every server replica through Redis and not stored.

A notification also invalidates the cached list by incrementing its generation. A reader that
queried the database before the change caches its result under the old generation, which is no
longer read.
"""

from __future__ import annotations

import asyncio
import json
import logging

from redis.asyncio import Redis

from vrooli_shared.health import describe
from vrooli_shared.posts import Post
from vrooli_shared.redis_link import OPTIONAL_TIMEOUT_S, UNAVAILABLE_ERRORS

CHANNEL = "vrooli:posts"
GENERATION = "vrooli:posts:generation"

log = logging.getLogger(__name__)


async def announce(redis: Redis, post: Post) -> None:
    """Notify every server replica of the post. Without Redis, pages show it after a reload."""
    try:
        async with asyncio.timeout(OPTIONAL_TIMEOUT_S), redis.pipeline(transaction=False) as pipe:
            pipe.incr(GENERATION)
            pipe.publish(CHANNEL, json.dumps(post.view()))
            await pipe.execute()
    except UNAVAILABLE_ERRORS as error:
        log.warning("the change of post %s could not be published: %s", post.id, describe(error))
