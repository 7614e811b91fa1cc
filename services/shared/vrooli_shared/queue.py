"""The queue between server and jobs: SAQ on Redis. Postgres stays the truth; this is transport."""

from __future__ import annotations

from uuid import UUID

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

NAME = "moderation"
MODERATE = "moderate"

# A job's tries and their pauses: about 2, 4, 8 and 16 s (less at random), so that a detector that
# restarts is back before the last one.
TRIES = 5
FIRST_PAUSE_S = 2.0
PAUSE_MAX_S = 30.0
# The longest that one try may take, seconds.
TRY_TIMEOUT_S = 30


def moderation_queue(redis: Redis) -> RedisQueue:
    """The queue of pictures that wait for a verdict."""
    return RedisQueue(redis, name=NAME)


async def enqueue(queue: RedisQueue, post_id: UUID) -> bool:
    """Ask for a verdict; a post that waits already isn't queued twice.

    Returns:
        Whether it was queued now.
    """
    job = await queue.enqueue(
        MODERATE,
        key=str(post_id),
        post_id=str(post_id),
        retries=TRIES,
        retry_delay=FIRST_PAUSE_S,
        retry_backoff=PAUSE_MAX_S,
        timeout=TRY_TIMEOUT_S,
        ttl=60,
    )
    return job is not None
