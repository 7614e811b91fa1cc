"""Change notifications of posts, sent to every server replica through Redis and not stored.

A notification also invalidates the cached list by incrementing its generation. A reader that
queried the database before the change caches its result under the old generation, which is no
longer read.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from vrooli_shared.health import describe
from vrooli_shared.posts import Post
from vrooli_shared.redis_link import OPTIONAL_TIMEOUT_S, UNAVAILABLE_ERRORS

CHANNEL = "vrooli:posts"
# Not the channel of changes: a server of an earlier version would send them to pages as posts.
DELETIONS = "vrooli:posts:deleted"
GENERATION = "vrooli:posts:generation"

log = logging.getLogger(__name__)


async def announce(redis: Redis, post: Post) -> None:
    """Notify every server replica of the post. Without Redis, pages show it after a reload."""
    await _publish(redis, CHANNEL, post.id, post.view())


async def announce_deletion(redis: Redis, post_id: UUID) -> None:
    """Notify every server replica that the post was deleted."""
    await _publish(redis, DELETIONS, post_id, {"id": str(post_id)})


async def _publish(redis: Redis, channel: str, post_id: UUID, message: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(OPTIONAL_TIMEOUT_S), redis.pipeline(transaction=False) as pipe:
            pipe.incr(GENERATION)
            pipe.publish(channel, json.dumps(message))
            await pipe.execute()
    except UNAVAILABLE_ERRORS as error:
        log.warning("the change of post %s could not be published: %s", post_id, describe(error))
