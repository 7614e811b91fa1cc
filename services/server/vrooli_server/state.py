"""State of a server process: its connections and background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

from vrooli_server.feed import Feed
from vrooli_shared import redis_link
from vrooli_shared.database import Database
from vrooli_shared.health import SharedChecks
from vrooli_shared.posts import Posts
from vrooli_shared.queue import moderation_queue
from vrooli_shared.schema_migrator import SchemaMigrator
from vrooli_shared.settings import Settings
from vrooli_shared.tasks import cancel_all


@dataclass(frozen=True)
class State:
    """The connections of one process."""

    settings: Settings
    database: Database
    schema: SchemaMigrator
    redis: Redis
    queue: RedisQueue
    posts: Posts
    feed: Feed
    public_checks: SharedChecks = field(default_factory=SharedChecks)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[State]:
    """Open everything, keep it until the end of the block, close it.

    Nothing here needs the database or Redis to be up: the process starts, answers its probes and
    says what is missing until it comes.
    """
    database = Database(settings.conninfo())
    redis = redis_link.connect(settings)
    state = State(
        settings,
        database,
        SchemaMigrator(database),
        redis,
        moderation_queue(redis),
        Posts(database, settings.budgets()),
        Feed(redis),
    )
    await database.open()
    tasks = [asyncio.create_task(state.schema.run()), asyncio.create_task(state.feed.run())]
    try:
        yield state
    finally:
        await cancel_all(tasks)
        await database.close()
        await redis.aclose()
