"""A steady load on the release's Ingress: bounded in rate, number and time, on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

# One of so many requests writes a post; the others read the page and the API in turn.
WRITES_EVERY = 20
MOST_PER_S = 50.0
MOST_REQUESTS = 20_000
ANSWER_S = 10.0


@dataclass
class Load:
    """What was sent and what came back.

    Attributes:
        sent: How many requests were sent.
        failed: What went wrong, by kind, and how often.
        at: When each failure was, seconds after the begin, and what it was.
        slowest_s: The slowest answer, seconds.
    """

    sent: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    at: list[tuple[float, str]] = field(default_factory=list)
    slowest_s: float = 0.0

    def note(self, after_s: float, what: str) -> None:
        """Note a failure."""
        self.failed[what] += 1
        self.at.append((round(after_s, 1), what))


@asynccontextmanager
async def load(url: str, per_s: float = 20.0) -> AsyncIterator[Load]:
    """Keep a steady load up for the length of the block; the last answers are waited for."""
    if urlsplit(url).hostname != "127.0.0.1" or per_s > MOST_PER_S:
        raise ValueError(f"no load of {per_s}/s on {url}")
    done, began = Load(), time.monotonic()
    async with (
        httpx.AsyncClient(base_url=url, timeout=ANSWER_S, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(_send(client, done, began, 1 / per_s, group))
        yield done
        sending.cancel()


async def _send(
    client: httpx.AsyncClient, done: Load, began: float, every_s: float, group: asyncio.TaskGroup
) -> None:
    while done.sent < MOST_REQUESTS:
        group.create_task(_one(client, done, began, done.sent))
        done.sent += 1
        await asyncio.sleep(max(0.0, began + done.sent * every_s - time.monotonic()))


async def _one(client: httpx.AsyncClient, done: Load, began: float, number: int) -> None:
    sent = time.monotonic()
    try:
        if number % WRITES_EVERY == 1:
            answer = await client.post("/api/posts", files={"text": (None, f"load {number}")})
        else:
            answer = await client.get("/" if number % 2 else "/api/posts?limit=5")
    except httpx.HTTPError as error:
        done.note(sent - began, type(error).__name__)
    else:
        if answer.is_error:
            done.note(sent - began, f"HTTP {answer.status_code}")
    done.slowest_s = max(done.slowest_s, time.monotonic() - sent)
