"""The server's ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from vrooli_server import api
from vrooli_server.health import healthcheck
from vrooli_server.state import running
from vrooli_shared.limits import RequestLimits
from vrooli_shared.metrics import RequestMetrics, metrics
from vrooli_shared.settings import Settings
from vrooli_shared.web import HANDLERS, BodyLimit

ROUTES = [
    Route("/healthcheck", healthcheck),
    Route("/metrics", metrics),  # not exposed by the Ingress
    Route("/api/health", healthcheck),  # for pages
    Route("/api/posts", api.list_posts, methods=["GET"]),
    Route("/api/posts", api.create_post, methods=["POST"]),
    Route("/api/posts/events", api.live_posts),
    Route("/api/posts/{id}", api.get_post, methods=["GET"]),
    Route("/api/posts/{id}", api.delete_post, methods=["DELETE"]),
    Route("/api/posts/{id}/picture", api.get_picture),
]


def create_app(settings: Settings) -> Starlette:
    """Create the application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with running(settings) as state:
            app.state.vrooli = state
            yield

    size = Middleware(BodyLimit, max_bytes=settings.body_max_bytes())
    limits = Middleware(RequestLimits, rates=settings.client_rates())
    # Bodies that are too large are refused before they count.
    middleware = [Middleware(RequestMetrics), size, limits]
    return Starlette(
        routes=ROUTES, lifespan=lifespan, middleware=middleware, exception_handlers=HANDLERS
    )
