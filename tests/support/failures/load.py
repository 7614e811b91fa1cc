"""A steady load on the release's Ingress: bounded in rate, number and time, on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

# One of so many requests writes a post; the others read the page and the API in turn.
WRITES_EVERY = 20
MOST_PER_S = 50.0
MOST_REQUESTS = 20_000
ANSWER_S = 10.0
# A write that fails is sent again under its key, as the page does: so often, after such a pause.
ATTEMPTS, PAUSE_S = 15, 1.0
READS = ("/api/posts?limit=5", "/")


@dataclass
class Write:
    """One post: its text, which no other has, and its id once the server has answered with it."""

    text: str
    post_id: str = ""


@dataclass(frozen=True)
class Losses:
    """What a load found wrong with what it wrote; all empty when each post is stored once.

    Attributes:
        lost: The posts that the server acknowledged, and that aren't stored under their id.
        doubled: Those that are stored more than once.
        unanswered: Those that are stored, though no try was answered with success.
    """

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Every post that something is wrong with."""
        return (*self.lost, *self.doubled, *self.unanswered)


@dataclass
class Load:
    """What was sent and what came back.

    Attributes:
        name: What the text of each of its posts begins with.
        writes: Its posts.
        sent: How many requests were sent; a write that was repeated is one.
        failed: What went wrong, by kind, and how often.
        at: When each failure was, seconds after the begin, and what it was.
        slowest_s: The slowest answer, seconds.
    """

    name: str = field(default_factory=lambda: f"load-{uuid4().hex[:8]}")
    writes: list[Write] = field(default_factory=list)
    sent: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    at: list[tuple[float, str]] = field(default_factory=list)
    slowest_s: float = 0.0

    def note(self, after_s: float, what: str) -> None:
        """Note a failure."""
        self.failed[what] += 1
        self.at.append((round(after_s, 1), what))

    @property
    def query(self) -> str:
        """The query whose rows ``losses`` judges."""
        return f"SELECT text, id FROM vrooli.posts WHERE text LIKE '{self.name} %'"

    def losses(self, rows: str) -> Losses:
        """What is wrong with what was written, by the rows of ``query`` as psql prints them."""
        ids: dict[str, list[str]] = {}
        for text, _, post_id in (row.partition("|") for row in rows.splitlines() if row):
            ids.setdefault(text, []).append(post_id)
        acknowledged = [write for write in self.writes if write.post_id]
        others = [write.text for write in self.writes if not write.post_id]
        return Losses(
            lost=tuple(w.text for w in acknowledged if w.post_id not in ids.get(w.text, ())),
            doubled=tuple(text for text, result in ids.items() if len(result) > 1),
            unanswered=tuple(text for text in others if text in ids),
        )


@dataclass(frozen=True)
class Target:
    """What the load is put on: an Ingress on 127.0.0.1.

    Attributes:
        url: Its address.
        host: The host of the Ingress, where it asks for one; its certificate's, too.
        authority: What signed its certificate, where it speaks TLS.
    """

    url: str
    host: str = ""
    authority: Path | None = None

    def client(self) -> httpx.AsyncClient:
        """A client that reaches it."""

        async def name_host(request: httpx.Request) -> None:
            request.extensions = {**request.extensions, "sni_hostname": self.host}

        settings: dict[str, Any] = {}
        if self.host:
            settings |= {"headers": {"Host": self.host}, "event_hooks": {"request": [name_host]}}
        if self.authority:
            settings["verify"] = ssl.create_default_context(cafile=str(self.authority))
        return httpx.AsyncClient(base_url=self.url, timeout=ANSWER_S, trust_env=False, **settings)


@asynccontextmanager
async def load(
    target: str | Target, per_s: float = 20.0, reads: Sequence[str] = READS
) -> AsyncIterator[Load]:
    """Keep a steady load up for the length of the block; the last answers are waited for."""
    target = Target(target) if isinstance(target, str) else target
    if urlsplit(target.url).hostname != "127.0.0.1" or per_s > MOST_PER_S:
        raise ValueError(f"no load of {per_s}/s on {target.url}")
    done, began = Load(), time.monotonic()
    async with target.client() as client, asyncio.TaskGroup() as group:
        sending = group.create_task(_send(client, done, began, 1 / per_s, reads, group))
        yield done
        sending.cancel()


async def _send(
    client: httpx.AsyncClient,
    done: Load,
    began: float,
    every_s: float,
    reads: Sequence[str],
    group: asyncio.TaskGroup,
) -> None:
    while done.sent < MOST_REQUESTS:
        number = done.sent
        if number % WRITES_EVERY == 1:
            group.create_task(_write(client, done, began, number))
        else:
            read = client.build_request("GET", reads[number % len(reads)])
            group.create_task(_one(client, done, began, read))
        done.sent += 1
        await asyncio.sleep(max(0.0, began + done.sent * every_s - time.monotonic()))


async def _write(client: httpx.AsyncClient, done: Load, began: float, number: int) -> None:
    """Send a post until it is answered; each try that fails is noted."""
    write, key = Write(f"{done.name} {number}"), uuid4().hex
    done.writes.append(write)
    for _ in range(ATTEMPTS):
        request = client.build_request(
            "POST",
            "/api/posts",
            files={"text": (None, write.text)},
            headers={"Idempotency-Key": f'"{key}"'},
        )
        answer = await _one(client, done, began, request)
        if answer is not None:
            write.post_id = str(answer.json()["id"])
            return
        await asyncio.sleep(PAUSE_S)


async def _one(
    client: httpx.AsyncClient, done: Load, began: float, request: httpx.Request
) -> httpx.Response | None:
    """Send a request once; gives its answer, or None after noting what went wrong."""
    sent = time.monotonic()
    try:
        answer = await client.send(request)
    except httpx.HTTPError as error:
        done.note(sent - began, type(error).__name__)
        return None
    finally:
        done.slowest_s = max(done.slowest_s, time.monotonic() - sent)
    if answer.is_error:
        done.note(sent - began, f"HTTP {answer.status_code}")
        return None
    return answer
