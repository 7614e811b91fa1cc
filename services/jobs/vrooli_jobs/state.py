"""State of a worker process: its connections and the client of the detector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

from vrooli_jobs.detector import Detector
from vrooli_shared import redis_link
from vrooli_shared.database import Database
from vrooli_shared.posts import Posts
from vrooli_shared.queue import moderation_queue
from vrooli_shared.schema_migrator import SchemaMigrator
from vrooli_shared.settings import Settings


@dataclass(frozen=True)
class State:
    """The connections of one process."""

    settings: Settings
    database: Database
    schema: SchemaMigrator
    redis: Redis
    queue: RedisQueue
    posts: Posts
    detector: Detector


def state_in(context: Any) -> State:
    """The state in a job's context, set at startup."""
    state = context["state"]
    if not isinstance(state, State):
        raise TypeError("the worker was not started")
    return state


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[State]:
    """Open the connections (services may still be down) and close them at the end."""
    database = Database(settings.conninfo())
    redis = redis_link.connect(settings)
    await database.open()
    async with httpx.AsyncClient() as client:
        detector = Detector(settings.nsfw_detector_url, client)
        yield State(
            settings,
            database,
            SchemaMigrator(database),
            redis,
            moderation_queue(redis),
            Posts(database),
            detector,
        )
    await database.close()
    await redis.aclose()
