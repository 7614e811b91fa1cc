"""A client that calls an ASGI application in this process."""

from __future__ import annotations

import httpx
from starlette.types import ASGIApp


def asgi_client(app: ASGIApp) -> httpx.AsyncClient:
    """The client; what the application raises becomes its answer, as it does for everyone."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")
