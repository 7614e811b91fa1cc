"""What every replica must hear of: a post changed. Carried by Redis, never stored.

It also spoils the cached list: a writer raises the list's generation, so that whoever read the
database before the change can only cache under the old generation, where nobody looks.
"""

from __future__ import annotations

import json
import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vrooli_shared.posts import Post

CHANNEL = "vrooli:posts"
GENERATION = "vrooli:posts:generation"

log = logging.getLogger(__name__)


async def announce(redis: Redis, post: Post) -> None:
    """Tell every server replica about the post; without Redis, pages learn it when they reload."""
    try:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.incr(GENERATION)
            pipe.publish(CHANNEL, json.dumps(post.view()))
            await pipe.execute()
    except RedisError as error:
        log.warning("post %s changed, but Redis could not tell: %s", post.id, error)
