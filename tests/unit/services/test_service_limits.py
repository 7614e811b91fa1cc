"""The limits of what clients may keep open, and what the public learns of the service's health."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from support.fakes.asgi import asgi_client
from vrooli.drills.http_load import MOST_PER_S, MOST_REQUESTS, WRITES_EVERY
from vrooli_server import feed as feed_module
from vrooli_server.feed import Feed
from vrooli_shared import health
from vrooli_shared.buckets import Buckets, Rate
from vrooli_shared.downloads import PIECE, take_turn
from vrooli_shared.limits import MAX_QUERY, POST_BYTES, ClientRates, RequestLimits, client_of
from vrooli_shared.web import HANDLERS, ApiError

PER_CLIENT, BODIES, BODY_S = 3, 2, 1.0
TURN_S = 30.0
# The rate of one client in these tests: no more tokens within a test.
RATE, BURST = 0.001, 20
RATES = ClientRates(requests=Rate(RATE, BURST))
ONE, OTHER = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}


LARGE = bytes(range(256)) * 1000


async def settle() -> None:
    """Let all tasks go on until each of them waits; no limit of time passes meanwhile."""
    for _ in range(20):
        await asyncio.sleep(0)


class Service:
    """An application under limits whose requests wait until they may go on."""

    def __init__(self, rates: ClientRates = RATES) -> None:
        self.may_continue, self.turns = asyncio.Event(), 0
        routes = [
            Route("/wait", self._wait, methods=["GET", "POST"]),
            Route("/read", self._read, methods=["GET", "POST"]),
            Route("/large", self._large),
            Route("/turn", self._turn),
        ]
        limits = Middleware(
            RequestLimits,
            rates=rates,
            per_client=PER_CLIENT,
            bodies_per_client=1,
            bodies=BODIES,
            body_s=BODY_S,
            turn_s=TURN_S,
        )
        self.app = Starlette(routes=routes, middleware=[limits], exception_handlers=HANDLERS)
        self.client = asgi_client(self.app)

    async def _wait(self, request: Request) -> Response:
        await self.may_continue.wait()
        return JSONResponse({})

    async def _read(self, request: Request) -> Response:
        return JSONResponse({"length": len(await request.body())})

    async def _large(self, request: Request) -> Response:
        return Response(LARGE)

    async def _turn(self, request: Request) -> Response:
        await take_turn(request)
        self.turns += 1
        return Response(LARGE)

    async def open(
        self, number: int, headers: dict[str, str], content: bytes | None = None
    ) -> list[asyncio.Task[httpx.Response]]:
        """Open requests, and return once they are open."""
        method = "GET" if content is None else "POST"
        tasks = [
            asyncio.create_task(
                self.client.request(method, "/wait", headers=headers, content=content)
            )
            for _ in range(number)
        ]
        await settle()
        return tasks


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The application; its client is closed at the end."""
    made = Service()
    async with made.client:
        yield made


async def test_a_client_with_too_many_requests_is_refused_and_others_are_not(
    service: Service,
) -> None:
    tasks = await service.open(PER_CLIENT, ONE)
    refused = await service.client.get("/wait", headers=ONE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-of-client")
    assert refused.headers["Retry-After"]
    tasks += await service.open(1, OTHER)
    service.may_continue.set()
    answers = [await task for task in tasks]
    assert {answer.status_code for answer in answers} == {200}
    assert (await service.client.get("/wait", headers=ONE)).status_code == 200


async def test_a_long_query_is_refused(service: Service) -> None:
    service.may_continue.set()
    assert (await service.client.get(f"/wait?{'a' * MAX_QUERY}")).status_code == 200
    refused = await service.client.get(f"/wait?{'a' * (MAX_QUERY + 1)}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (414, "query-too-long")


async def test_probes_and_tunnels_have_no_limit_of_their_own(service: Service) -> None:
    tasks = await service.open(PER_CLIENT + 5, {})
    service.may_continue.set()
    assert {(await task).status_code for task in tasks} == {200}


async def test_uploads_of_all_clients_are_limited_and_reads_are_not(service: Service) -> None:
    tasks = [*(await service.open(1, ONE, b"x")), *(await service.open(1, OTHER, b"x"))]
    refused = await service.client.post("/wait", content=b"x")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too-many")
    tasks += await service.open(1, {})
    service.may_continue.set()
    assert {(await task).status_code for task in tasks} == {200}


async def test_one_client_cannot_take_the_uploads_of_all(service: Service) -> None:
    tasks = await service.open(1, ONE, b"x")
    refused = await service.client.post("/wait", headers=ONE, content=b"x")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-of-client")
    tasks += await service.open(1, OTHER, b"x")
    service.may_continue.set()
    assert {(await task).status_code for task in tasks} == {200}


async def test_a_body_that_arrives_too_slowly_ends_its_request(service: Service) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(60)
        yield b"x"

    refused = await service.client.post("/read", content=slow())
    assert (refused.status_code, refused.json()["error"]["code"]) == (408, "body-too-slow")


async def test_a_body_in_time_is_read(service: Service) -> None:
    assert (await service.client.post("/read", content=b"xy")).json() == {"length": 2}


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], ""),
        ([(b"x-forwarded-for", b"192.0.2.1")], "192.0.2.1"),
        # The proxy appends what it saw to what the client sent.
        ([(b"x-forwarded-for", b"1.1.1.1, 192.0.2.1")], "192.0.2.1"),
        ([(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"192.0.2.1")], "192.0.2.1"),
        ([(b"x-forwarded-for", b"192.0.2.1:4711")], "192.0.2.1"),
        ([(b"x-forwarded-for", b"::ffff:192.0.2.1")], "192.0.2.1"),
        ([(b"x-forwarded-for", b"2001:db8:1:2:3:4:5:6")], "2001:db8:1:2::/64"),
        ([(b"x-forwarded-for", b"[2001:DB8:1:2::9]:4711")], "2001:db8:1:2::/64"),
        ([(b"x-forwarded-for", b"[2001:db8:1:2::9]")], "2001:db8:1:2::/64"),
        ([(b"x-forwarded-for", b"fe80::1%eth0")], "fe80::/64"),
        ([(b"x-forwarded-for", b"unknown")], "unknown"),
        ([(b"x-forwarded-for", b"x" * 1000)], "x" * 53),
    ],
)
def test_the_client_is_the_address_that_the_last_proxy_saw(
    headers: list[tuple[bytes, bytes]], client: str
) -> None:
    assert client_of({"type": "http", "headers": headers}) == client


async def test_a_client_that_sends_too_often_is_refused_and_others_are_not(
    service: Service,
) -> None:
    answers = [await service.client.post("/read", headers=ONE) for _ in range(BURST + 1)]
    assert [answer.status_code for answer in answers] == [200] * BURST + [429]
    assert answers[-1].json()["error"]["code"] == "too-many-requests"
    assert answers[-1].headers["Retry-After"] == str(round(1 / RATE))
    assert (await service.client.post("/read", headers=OTHER)).status_code == 200


async def test_probes_and_metrics_have_no_rate(service: Service) -> None:
    answers = [await service.client.post("/read") for _ in range(3 * BURST)]
    assert {answer.status_code for answer in answers} == {200}


async def test_posts_have_a_lower_rate_than_reads() -> None:
    service = Service(ClientRates(requests=Rate(RATE, BURST), posts=Rate(RATE, 2)))
    answers = [await service.client.post("/read", headers=ONE, content=b"x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["error"]["message"].endswith("posts per second.")
    assert (await service.client.get("/read", headers=ONE)).status_code == 200
    assert (await service.client.post("/read", headers=OTHER)).status_code == 200


async def _chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_the_bytes_of_a_client_are_limited_however_they_are_sent(is_chunked: bool) -> None:
    size = 1000
    rate = Rate(1.0, 3 * (POST_BYTES + size) - 1)
    service = Service(ClientRates(post_bytes=rate))

    async def post(headers: dict[str, str], data: bytes = bytes(size)) -> httpx.Response:
        content = _chunks(data[:400], data[400:]) if is_chunked else data
        return await service.client.post("/read", headers=headers, content=content)

    assert (await post(ONE)).json() == {"length": size}
    assert (await post(ONE)).json() == {"length": size}
    refused = await post(ONE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-requests")
    assert refused.json()["error"]["message"].endswith("bytes per second.")
    assert (await post(OTHER)).json() == {"length": size}
    assert (await service.client.get("/read", headers=ONE)).status_code == 200


async def test_addresses_of_one_network_share_their_bytes() -> None:
    service = Service(ClientRates(post_bytes=Rate(1.0, 2 * POST_BYTES)))
    for last, expected in (("1", 200), ("2", 200), ("3", 429)):
        headers = {"X-Forwarded-For": f"2001:db8::{last}"}
        assert (await service.client.post("/read", headers=headers)).status_code == expected


async def test_a_refused_post_takes_no_bytes() -> None:
    service = Service(ClientRates(post_bytes=Rate(1.0, POST_BYTES + 100)))
    large = await service.client.post("/read", headers=ONE, content=bytes(200))
    small = await service.client.post("/read", headers=ONE, content=bytes(50))
    assert (large.status_code, small.status_code) == (429, 200)


def test_a_bucket_refills_steadily_up_to_the_burst() -> None:
    now = 0.0
    rate = Buckets(Rate(10, 2), "requests", clock=lambda: now)

    def allowed(number: int) -> int:
        count = 0
        for _ in range(number):
            with contextlib.suppress(ApiError):
                rate.take("192.0.2.1")
                count += 1
        return count

    assert allowed(5) == 2
    now = 0.1
    assert allowed(5) == 1
    now = 60.0
    assert allowed(5) == 2


def test_the_memory_of_clients_is_bounded_and_forgets_the_one_that_was_idle_for_longest() -> None:
    rate = Buckets(Rate(RATE, 1), "requests", clients=100)
    rate.take("busy")
    for number in range(10_000):
        rate.take(f"client {number}")
        with pytest.raises(ApiError, match="more than"):
            rate.take("busy")
    assert len(rate._tokens) == 100


def test_the_load_of_the_end_to_end_tests_is_not_throttled() -> None:
    now = 0.0
    rates = ClientRates()
    requests = Buckets(rates.requests, "requests", clock=lambda: now)
    posts = Buckets(rates.posts, "posts", clock=lambda: now)
    post_bytes = Buckets(rates.post_bytes, "bytes", clock=lambda: now)
    for number in range(MOST_REQUESTS):
        now = number / MOST_PER_S
        requests.take("192.0.2.1")
        if number % WRITES_EVERY == 0:
            posts.take("192.0.2.1")
            post_bytes.take("192.0.2.1", POST_BYTES + 500)


def test_a_feed_is_full_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MAX_LISTENERS", 1)
    feed = Feed(Redis())
    with feed.listen():
        assert feed.is_full
    assert not feed.is_full


def test_a_public_report_has_no_errors_and_no_details() -> None:
    inner = {"nsfw-detector": {"status": "down", "latency_ms": 1.0, "error": "10.0.0.7: refused"}}
    views = {
        "database": {"status": "down", "latency_ms": 2.0, "error": "host pg", "missing": ["x"]},
        "jobs": {"status": "up", "latency_ms": 3.0, "age_s": 1, "services": inner},
    }
    assert health.public(views) == {
        "database": {"status": "down", "latency_ms": 2.0},
        "jobs": {
            "status": "up",
            "latency_ms": 3.0,
            "services": {"nsfw-detector": {"status": "down", "latency_ms": 1.0}},
        },
    }


class Reader:
    """A client that reads a response as slowly as a test wants."""

    def __init__(self, service: Service, client: str, path: str = "/large") -> None:
        headers = [(b"x-forwarded-for", client.encode())]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path}
        scope |= {"query_string": b"", "headers": headers}
        self.reads, self.pieces, self.status = asyncio.Event(), list[bytes](), 0
        self.task = asyncio.create_task(service.app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.pieces.append(message["body"])
        await self.reads.wait()


async def test_a_large_response_is_sent_as_it_is_read(service: Service) -> None:
    assert (await service.client.get("/large")).content == LARGE
    reader = Reader(service, "192.0.2.1")
    await settle()
    assert (reader.status, [len(piece) for piece in reader.pieces]) == (200, [PIECE])
    reader.reads.set()
    await reader.task
    assert b"".join(reader.pieces) == LARGE


async def test_large_responses_that_are_not_read_are_few_and_end(service: Service) -> None:
    slow = [Reader(service, f"192.0.2.{number}") for number in (1, 1, 2, 3)]
    await settle()
    assert [reader.status for reader in slow] == [200, 429, 200, 503]
    assert (await service.client.get("/read", headers=ONE)).status_code == 200  # it is small
    slow[1].reads.set()
    slow[3].reads.set()
    await asyncio.gather(*(reader.task for reader in slow))  # those that do not read end, too
    assert (await service.client.get("/large", headers=ONE)).content == LARGE


async def test_a_large_response_waits_for_its_turn_before_it_is_loaded(service: Service) -> None:
    first, second = (Reader(service, "192.0.2.1", "/turn") for _ in range(2))
    await settle()
    assert (service.turns, first.status, second.status) == (1, 200, 0)
    first.reads.set()
    second.reads.set()
    await asyncio.gather(first.task, second.task)
    assert (service.turns, second.status) == (2, 200)
    assert b"".join(second.pieces) == LARGE


async def test_a_turn_that_does_not_come_is_an_error_and_one_that_is_left_is_free_again(
    service: Service,
) -> None:
    held = Reader(service, "192.0.2.1", "/turn")
    await asyncio.sleep(0)
    left = asyncio.create_task(service.client.get("/turn", headers=ONE))
    await settle()
    left.cancel()
    await held.task  # it does not read
    assert (await service.client.get("/turn", headers=ONE)).content == LARGE
    assert service.turns == 2
