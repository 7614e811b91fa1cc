"""A steady load on a release: bounded in rate, number and time, on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from vrooli.steps import first_error

# One of so many requests writes a post; the others read the page and the API in turn.
WRITES_EVERY = 20
# The bounds of the rate per second, of the number of requests, and of the time, seconds.
MOST_PER_S = 50.0
MOST_REQUESTS = 20_000
MOST_S = 3600.0
ANSWER_S = 10.0
# A write that fails is sent again under its key, as the page does: so often, after such a pause.
ATTEMPTS, PAUSE_S = 15, 1.0
API = "/api/"
POSTS = "/api/posts"
READS = (f"{POSTS}?limit=5", "/")
# What the text of each post of a load begins with.
TEXT = "vrooli-drill-load-"


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


@dataclass(frozen=True)
class Failure:
    """A request that failed.

    Attributes:
        after_s: When it was sent, seconds after the begin of the load.
        kind: What went wrong: the class of an error, or HTTP with a status.
        is_read: Whether it only read.
    """

    after_s: float
    kind: str
    is_read: bool


@dataclass
class Load:
    """What was sent and what came back.

    Attributes:
        name: What the text of each of its posts begins with.
        writes: Its posts.
        sent: How many requests were sent; a write that was repeated is one.
        failures: The requests that failed, each attempt of a write as one.
        slowest_s: The slowest answer, seconds.
    """

    name: str = field(default_factory=lambda: f"{TEXT}{uuid4().hex[:8]}")
    writes: list[Write] = field(default_factory=list)
    sent: int = 0
    failures: list[Failure] = field(default_factory=list)
    slowest_s: float = 0.0

    @property
    def failed(self) -> Counter[str]:
        """What went wrong, by kind, and how often."""
        return Counter(failure.kind for failure in self.failures)

    @property
    def query(self) -> str:
        """The query whose rows ``judge`` takes."""
        # The name has letters, digits and a hyphen only.
        return f"SELECT text, id FROM vrooli.posts WHERE text LIKE '{self.name} %'"  # noqa: S608

    def acknowledged(self) -> Load:
        """The posts that are acknowledged by now, as a load that does not grow."""
        writes = [replace(write) for write in self.writes if write.post_id]
        return Load(name=self.name, writes=writes)

    def judge(self, rows: Iterable[tuple[str, str]]) -> Losses:
        """What is wrong with what was written, by the texts and ids that are stored."""
        ids: dict[str, list[str]] = {}
        for text, post_id in rows:
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
    """What the load is put on: an Ingress, or forwarded ports, on 127.0.0.1.

    Attributes:
        url: Its address.
        host: The host of the Ingress, where it asks for one; its certificate's, too.
        authority: What signed its certificate, where it speaks TLS: a file, or PEM text.
        api: The address of paths below /api/, where it is another one.
        has_posts: Whether posts can be read and written there.
    """

    url: str
    host: str = ""
    authority: Path | str | None = None
    api: str = ""
    has_posts: bool = True

    @property
    def reads(self) -> tuple[str, ...]:
        """The paths that are read in turn."""
        return READS if self.has_posts else ("/",)

    def locate(self, path: str) -> str:
        """The URL of a path."""
        return f"{self.api if self.api and path.startswith(API) else self.url}{path}"

    def client(self) -> httpx.AsyncClient:
        """A client that reaches it."""

        async def name_host(request: httpx.Request) -> None:
            request.extensions = {**request.extensions, "sni_hostname": self.host}

        # Without limits, the pool does not search through all waiting requests for each new one.
        settings: dict[str, Any] = {"limits": httpx.Limits(max_keepalive_connections=100)}
        if self.host:
            settings |= {"headers": {"Host": self.host}, "event_hooks": {"request": [name_host]}}
        if self.authority:
            settings["verify"] = self._trust()
        return httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, **settings)

    def _trust(self) -> ssl.SSLContext:
        if isinstance(self.authority, Path):
            return ssl.create_default_context(cafile=str(self.authority))
        context = ssl.create_default_context(cadata=self.authority)
        # The text may be the certificate itself, which another authority has signed.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        return context


@asynccontextmanager
async def load(
    target: str | Target,
    per_s: float = 20.0,
    reads: Sequence[str] | None = None,
    limit_s: float = MOST_S,
) -> AsyncIterator[Load]:
    """Keep a steady load up for the length of the block; the last answers are waited for.

    Args:
        target: The address, or a target.
        per_s: The requests per second.
        reads: The paths that are read in turn; None takes those of the target.
        limit_s: The load ends after this time, even if the block goes on, seconds.

    Raises:
        ValueError: An address is not on 127.0.0.1, or the rate is too high.
    """
    target = Target(target) if isinstance(target, str) else target
    addresses = filter(None, (target.url, target.api))
    if any(urlsplit(url).hostname != "127.0.0.1" for url in addresses) or per_s > MOST_PER_S:
        raise ValueError(f"no load of {per_s}/s on {target.url}")
    try:
        async with target.client() as client, asyncio.TaskGroup() as group:
            sender = _Sender(target, client, group, target.reads if reads is None else reads)
            sending = group.create_task(sender.send(1 / per_s, min(limit_s, MOST_S)))
            yield sender.load
            sending.cancel()
    except BaseExceptionGroup as errors:  # raise the block's own error without a group
        raise first_error(errors) from None


class _Sender:
    """Sends the requests of one load."""

    def __init__(
        self,
        target: Target,
        client: httpx.AsyncClient,
        group: asyncio.TaskGroup,
        reads: Sequence[str],
    ) -> None:
        self._target, self._client, self._group, self._reads = target, client, group, reads
        self._began = time.monotonic()
        self.load = Load()

    async def send(self, every_s: float, limit_s: float) -> None:
        """Send requests at an interval, up to a number and a time."""
        done = self.load
        while done.sent < MOST_REQUESTS and time.monotonic() - self._began < limit_s:
            number = done.sent
            if self._target.has_posts and number % WRITES_EVERY == 1:
                self._group.create_task(self._write(number))
            else:
                url = self._target.locate(self._reads[number % len(self._reads)])
                request = self._client.build_request("GET", url)
                self._group.create_task(self._answer(request, is_read=True))
            done.sent += 1
            await asyncio.sleep(max(0.0, self._began + done.sent * every_s - time.monotonic()))

    async def _write(self, number: int) -> None:
        """Send a post until it is answered; each try that fails is noted."""
        write, key = Write(f"{self.load.name} {number}"), uuid4().hex
        self.load.writes.append(write)
        for _ in range(ATTEMPTS):
            request = self._client.build_request(
                "POST",
                self._target.locate(POSTS),
                files={"text": (None, write.text)},
                headers={"Idempotency-Key": f'"{key}"'},
            )
            answer = await self._answer(request, is_read=False)
            if answer is not None:
                write.post_id = str(answer.json()["id"])
                return
            await asyncio.sleep(PAUSE_S)

    async def _answer(self, request: httpx.Request, *, is_read: bool) -> httpx.Response | None:
        """Send a request once; gives its answer, or None after noting what went wrong."""
        sent = time.monotonic()
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as error:
            self._note(sent, type(error).__name__, is_read=is_read)
            return None
        finally:
            self.load.slowest_s = max(self.load.slowest_s, time.monotonic() - sent)
        if answer.is_error:
            self._note(sent, f"HTTP {answer.status_code}", is_read=is_read)
            return None
        return answer

    def _note(self, sent: float, kind: str, *, is_read: bool) -> None:
        self.load.failures.append(Failure(round(sent - self._began, 1), kind, is_read))
