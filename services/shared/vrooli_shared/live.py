"""What every replica must hear of: a post changed. Carried by Redis, never stored.

It also spoils the cached list: a writer raises the list's generation, so that whoever read the
database before the change can only cache under the old generation, where nobody looks.
"""

from __future__ import annotations

import asyncio
import json
import logging

from redis.asyncio import Redis

from vrooli_shared.health import describe
from vrooli_shared.posts import Post
from vrooli_shared.redis_link import AWAY, PATIENCE_S

CHANNEL = "vrooli:posts"
GENERATION = "vrooli:posts:generation"

log = logging.getLogger(__name__)


async def announce(redis: Redis, post: Post) -> None:
    """Tell every server replica about the post; without Redis, pages learn it when they reload."""
    try:
        async with asyncio.timeout(PATIENCE_S), redis.pipeline(transaction=False) as pipe:
            pipe.incr(GENERATION)
            pipe.publish(CHANNEL, json.dumps(post.view()))
            await pipe.execute()
    except AWAY as error:
        log.warning("post %s changed, but Redis could not tell: %s", post.id, describe(error))
