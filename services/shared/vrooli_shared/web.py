"""Shared by both HTTP services: JSON errors, a limit of the body size, and the server."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Mapping

import uvicorn
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vrooli_shared.heads import LimitedProtocol

log = logging.getLogger(__name__)

# How long requests in progress may take after SIGTERM, seconds; must be below the termination grace
# period.
DRAIN_S = 20
# Keep-alive timeout of idle connections, seconds. It must exceed the timeout of proxies (Traefik 90
# s, ingress-nginx 60 s): otherwise they send requests on connections that are being closed.
KEEP_ALIVE_S = 120
# How long a client may read nothing of what is sent to it, seconds.
UNREAD_S = 60
# What the kernel keeps of a response that is not read, bytes; Linux doubles it. With 1 ms between
# two nodes, that is enough for 250 MB/s.
SEND_BUFFER = 128 * 1024
# The exit code of uvicorn if the application cannot start.
STARTUP_FAILURE = 3


class ApiError(HTTPException):
    """An error response with a code for programs and a message for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """The body of every error response."""
    return {"error": {"code": code, "message": message}}


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"{error!r} is not an HTTP error")
    code = error.code if isinstance(error, ApiError) else f"http-{error.status_code}"
    return JSONResponse(
        error_body(code, error.detail), status_code=error.status_code, headers=error.headers
    )


async def _store_down(_: Request, error: Exception) -> Response:
    log.error("a request failed: %s: %s", type(error).__name__, error)
    body = error_body("store-unavailable", "The service can't access its data. Try again later.")
    return JSONResponse(body, status_code=503, headers={"Retry-After": "5"})


async def _unexpected(_: Request, __: Exception) -> Response:
    # Starlette raises the error again after this response, and uvicorn logs its traceback.
    return JSONResponse(error_body("internal", "An internal error occurred."), status_code=500)


HANDLERS = {
    HTTPException: _http_error,
    DatabaseError: _store_down,
    PoolTimeout: _store_down,
    RedisError: _store_down,
    Exception: _unexpected,
}


class BodyLimit:
    """Rejects bodies above a size, by their Content-Length and by the received bytes."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max:
            await refuse(too_large(self._max), scope, receive, send)
            return
        await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max:
                raise too_large(self._max)
            return message

        return counted


async def refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with an error, without reading the rest of its body."""
    headers = {**(error.headers or {}), "Connection": "close"}
    body = error_body(error.code, error.detail)
    await JSONResponse(body, error.status_code, headers)(scope, receive, send)


def too_large(max_bytes: int) -> ApiError:
    """The error for a body above the limit."""
    return ApiError(413, "too-large", f"The limit is {max_bytes / 1024 / 1024:.1f} MiB.")


class Server(uvicorn.Server):
    """uvicorn, which also limits what is kept for clients that do not read, and for how long.

    By itself it closes a connection only when the client has read what is left, of which the kernel
    keeps up to 4 MiB: then a large response would seem to be sent at once.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        if not self.started:
            return
        for listener in (item for server in self.servers for item in server.sockets):
            # Accepted connections inherit the options.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            if sys.platform == "linux":  # `vrooli dev` runs on other systems, too
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)


def serve(app: Starlette, port: int, address: str = "") -> None:
    """Serve until SIGTERM, then complete the requests in progress.

    Without an address it listens on IPv4 and IPv6: a pod may have either, and the network policy
    restricts access.
    """
    config = uvicorn.Config(
        app,
        host=address,
        port=port,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
        http=LimitedProtocol,
    )
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
