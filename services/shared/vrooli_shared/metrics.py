"""GET /metrics of the services, for Prometheus: their requests, and the queue of pictures."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from saq.queue.redis import RedisQueue
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vrooli_shared import health
from vrooli_shared.redis_link import AWAY

REQUESTS = Counter(
    "vrooli_http_requests_total", "Answered requests", ("handler", "method", "status")
)
# To the first byte: live events are streams that last for as long as a page is open.
LATENCY = Histogram(
    "vrooli_http_request_seconds", "Seconds to the first byte of an answer", ("handler", "method")
)
QUEUED = Gauge("vrooli_queue_jobs", "Pictures that wait for a verdict, or get one now", ("state",))
# Methods are words of whoever asks: all others are one, so that nobody can make series.
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


class RequestMetrics:
    """Counts each request by the function that handled it, never by its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, answered = time.perf_counter(), False

        async def counted(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not answered:  # the server's own answer to it is made outside of this
                _count(scope, 500, time.perf_counter() - began)
            raise


def _count(scope: Scope, status: int, seconds: float) -> None:
    # The router notes the endpoint in the scope that it was given; without one there is no route.
    handler = getattr(scope.get("endpoint"), "__name__", "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(handler, method, str(status)).inc()
    LATENCY.labels(handler, method).observe(seconds)


async def metrics(request: Request) -> Response:
    """What Prometheus reads; without Redis all but the queue."""
    queue: RedisQueue = request.app.state.vrooli.queue
    try:
        async with asyncio.timeout(health.LIMIT_S):
            QUEUED.labels("queued").set(await queue.count("queued"))
            QUEUED.labels("active").set(await queue.count("active"))
    except AWAY:
        QUEUED.clear()  # no number is better than an old one
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
