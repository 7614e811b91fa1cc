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
from vrooli_shared.redis_link import UNAVAILABLE_ERRORS

REQUESTS = Counter(
    "vrooli_http_requests_total", "Completed requests", ("handler", "method", "status")
)
# Up to the first byte, since a stream of live events lasts as long as its page is open.
LATENCY = Histogram(
    "vrooli_http_request_seconds", "Seconds to the first byte of a response", ("handler", "method")
)
QUEUED = Gauge("vrooli_queue_jobs", "Pictures in the moderation queue", ("state",))
# Other methods are counted as one, so that clients can't create arbitrary series.
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
        start, has_started = time.perf_counter(), False

        async def counted(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                _count(scope, message["status"], time.perf_counter() - start)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not has_started:  # the server sends its error response outside of this middleware
                _count(scope, 500, time.perf_counter() - start)
            raise


def _count(scope: Scope, status: int, seconds: float) -> None:
    # The router stores the endpoint in the scope; without a matching route there is none.
    handler = getattr(scope.get("endpoint"), "__name__", "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(handler, method, str(status)).inc()
    LATENCY.labels(handler, method).observe(seconds)


async def metrics(request: Request) -> Response:
    """Metrics for Prometheus; without Redis, all except the queue."""
    queue: RedisQueue = request.app.state.vrooli.queue
    try:
        async with asyncio.timeout(health.TIMEOUT_S):
            QUEUED.labels("queued").set(await queue.count("queued"))
            QUEUED.labels("active").set(await queue.count("active"))
    except UNAVAILABLE_ERRORS:
        QUEUED.clear()  # omit the series rather than report an outdated value
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
