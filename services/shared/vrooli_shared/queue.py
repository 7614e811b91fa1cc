"""The queue between server and jobs: SAQ on Redis. PostgreSQL is the source of truth."""

from __future__ import annotations

from uuid import UUID

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

NAME = "moderation"
MODERATE = "moderate"

# Attempts of a job and the delays between them: about 2, 4, 8 and 16 s with jitter, enough for a
# restart of the detector.
MAX_ATTEMPTS = 5
FIRST_PAUSE_S = 2.0
PAUSE_MAX_S = 30.0
# Timeout of one attempt, seconds.
ATTEMPT_TIMEOUT_S = 30


def moderation_queue(redis: Redis) -> RedisQueue:
    """The queue of pictures to moderate."""
    return RedisQueue(redis, name=NAME)


async def enqueue(queue: RedisQueue, post_id: UUID) -> bool:
    """Queue the moderation of a post, unless it is queued already.

    Returns:
        Whether this call queued it.
    """
    job = await queue.enqueue(
        MODERATE,
        key=str(post_id),
        post_id=str(post_id),
        retries=MAX_ATTEMPTS,
        retry_delay=FIRST_PAUSE_S,
        retry_backoff=PAUSE_MAX_S,
        timeout=ATTEMPT_TIMEOUT_S,
        ttl=60,
    )
    return job is not None
