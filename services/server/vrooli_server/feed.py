"""The live feed: one subscription to Redis per process, fanned out to every open page.

Redis forgets what it published, so a page that may have missed something is told to load the
posts again (``resync``): after a failover, and when the page reads too slowly.
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

from vrooli_shared.live import CHANNEL

log = logging.getLogger(__name__)

# Events that wait for one slow page before it is told to load everything again.
BACKLOG = 100
# How long the subscription may be silent before the connection is looked at, seconds.
SILENCE_S = 5.0
PAUSE_MAX_S = 5.0


@dataclass(frozen=True)
class Event:
    """One thing that a page hears: its name and its data as JSON."""

    name: str
    data: str


RESYNC = Event("resync", "{}")


class Feed:
    """Hands every published change to each listener."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: set[asyncio.Queue[Event]] = set()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue that gets each event from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def tell(self, event: Event) -> None:
        """Give the event to every listener; one that lags loses its backlog for a ``resync``."""
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(RESYNC)
            else:
                queue.put_nowait(event)

    async def run(self) -> None:
        """Follow Redis until cancelled; subscribes anew whenever the connection breaks."""
        pause = 0.2
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    pause = 0.2
                    await self._follow(subscription)
            except (RedisError, OSError) as error:
                log.warning("the live feed lost Redis: %s; again in %.1f s", error, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _follow(self, subscription: PubSub) -> None:
        asked = False
        while True:
            message = await subscription.get_message(timeout=SILENCE_S)
            if message is None:
                # A master that vanished closes nothing: only an unanswered ping shows it.
                if asked:
                    raise RedisTimeoutError(f"no answer within {SILENCE_S:g} s")
                await subscription.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "subscribe":
                # At the start, and after each break that the client mended by itself: whatever
                # was published in between is lost.
                self.tell(RESYNC)
            elif message["type"] == "message":
                self.tell(Event("post", message["data"].decode()))
