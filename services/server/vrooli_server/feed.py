"""The live feed: one subscription to Redis per process, fanned out to every open page.

Redis doesn't store messages. A page that may have missed some gets the event ``resync`` and reloads
the posts: after a failover, and if the page reads too slowly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from vrooli_shared.live import CHANNEL, DELETIONS

log = logging.getLogger(__name__)

# Maximum number of queued events per page; beyond it, the page gets ``resync``.
BACKLOG = 100
# Open pages of one process; each may have a full backlog of posts, some 250 KB.
MAX_LISTENERS = 1000
# Time without messages after which the connection is checked with a ping, seconds.
SILENCE_S = 5.0
PAUSE_MAX_S = 5.0
# The event for a message of each channel.
EVENTS = {CHANNEL.encode(): "post", DELETIONS.encode(): "deleted"}


@dataclass(frozen=True)
class Event:
    """An event for a page: its name and its data as JSON."""

    name: str
    data: str


RESYNC = Event("resync", "{}")


class Feed:
    """Forwards every published change to each listener."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: set[asyncio.Queue[Event]] = set()

    @property
    def is_full(self) -> bool:
        """Whether no other page may listen."""
        return len(self._listeners) >= MAX_LISTENERS

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue of all events from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def publish(self, event: Event) -> None:
        """Queue the event for every listener; replaces a full queue with a ``resync``."""
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(RESYNC)
            else:
                queue.put_nowait(event)

    async def run(self) -> None:
        """Receive changes until cancelled; subscribes again after connection errors."""
        pause = 0.2
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(*EVENTS)
                    pause = 0.2
                    await self._follow(subscription)
            except (RedisError, OSError) as error:
                log.warning(
                    "the live feed lost its connection to Redis: %s; retrying in %.1f s",
                    error,
                    pause,
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _follow(self, subscription: PubSub) -> None:
        is_ping_pending = False
        while True:
            message = await subscription.get_message(timeout=SILENCE_S)
            if message is None:
                # A failed master doesn't close its connections: only a missing pong reveals it.
                if is_ping_pending:
                    raise RedisTimeoutError(f"no answer within {SILENCE_S:g} s")
                await subscription.ping()
                is_ping_pending = True
                continue
            is_ping_pending = False
            if message["type"] == "subscribe":
                # At startup, and after each reconnect of the client: messages published in between
                # are lost.
                self.publish(RESYNC)
            elif message["type"] == "message":
                self.publish(Event(EVENTS[message["channel"]], message["data"].decode()))
