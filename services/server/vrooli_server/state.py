"""What one server process holds: its connections, and the tasks that run beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from psycopg_pool import PoolTimeout
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

from vrooli_server.feed import Feed
from vrooli_shared import redis_link
from vrooli_shared.database import Database
from vrooli_shared.posts import Posts
from vrooli_shared.queue import moderation_queue
from vrooli_shared.settings import Settings

log = logging.getLogger(__name__)

# Between two tries to migrate a database that isn't there yet, seconds.
MIGRATE_PAUSE_S = 2.0


@dataclass
class State:
    """The connections of one process; ``schema_ready`` turns true once the schema is there."""

    settings: Settings
    database: Database
    redis: Redis
    queue: RedisQueue
    posts: Posts
    feed: Feed
    schema_ready: bool = False


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[State]:
    """Open everything, keep it until the end of the block, close it.

    Nothing here needs the database or Redis to be up: the process starts, answers its probes and
    says what is missing until it comes.
    """
    database = Database(settings.conninfo())
    redis = redis_link.connect(settings)
    state = State(settings, database, redis, moderation_queue(redis), Posts(database), Feed(redis))
    await database.open()
    tasks = [asyncio.create_task(_migrate(state)), asyncio.create_task(state.feed.run())]
    try:
        yield state
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()
        await redis.aclose()


async def _migrate(state: State) -> None:
    while True:
        try:
            applied = await state.database.migrate()
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("the schema can't be brought up to date yet: %s", error)
            await asyncio.sleep(MIGRATE_PAUSE_S)
            continue
        log.info("the schema is up to date; applied now: %s", ", ".join(applied) or "nothing")
        state.schema_ready = True
        return
