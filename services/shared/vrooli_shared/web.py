"""What both HTTP services do alike: errors as JSON, a limit on bodies, and how they are served."""

from __future__ import annotations

import logging
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

log = logging.getLogger(__name__)

# How long requests that are under way may still take after SIGTERM, seconds; below the 30 s that
# Kubernetes gives a pod.
DRAIN_S = 20
# How long an idle connection is kept, seconds: longer than those who connect keep theirs (Traefik
# 90 s, ingress-nginx 60 s), or one sends a request on a connection that is just being closed.
KEEP_ALIVE_S = 120


class ApiError(HTTPException):
    """An answer that isn't a success: a name for machines, a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """The one form that every error has."""
    return {"error": {"code": code, "message": message}}


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"{error!r} is no HTTP error")
    code = error.code if isinstance(error, ApiError) else f"http-{error.status_code}"
    return JSONResponse(
        error_body(code, error.detail), status_code=error.status_code, headers=error.headers
    )


async def _store_down(_: Request, error: Exception) -> Response:
    log.error("a request failed: %s: %s", type(error).__name__, error)
    body = error_body("store-unavailable", "The service can't reach its data now. Try again soon.")
    return JSONResponse(body, status_code=503, headers={"Retry-After": "5"})


async def _unexpected(_: Request, __: Exception) -> Response:
    # Starlette raises it again after this answer, and uvicorn logs it with its trace.
    return JSONResponse(error_body("internal", "Something went wrong here."), status_code=500)


HANDLERS = {
    HTTPException: _http_error,
    DatabaseError: _store_down,
    PoolTimeout: _store_down,
    RedisError: _store_down,
    Exception: _unexpected,
}


class BodyLimit:
    """Refuses bodies over a size, by their announced length and by what really arrives."""

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
            await self._refuse(scope, receive, send)
            return
        await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._max:
                raise too_large(self._max)
            return message

        return counted

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = too_large(self._max)
        body = error_body(error.code, error.detail)
        headers = {"Connection": "close"}  # the rest of the body is not wanted
        await JSONResponse(body, status_code=413, headers=headers)(scope, receive, send)


def too_large(max_bytes: int) -> ApiError:
    """The refusal of a body that is larger than allowed."""
    return ApiError(413, "too-large", f"At most {max_bytes / 1024 / 1024:.1f} MiB are taken.")


def serve(app: Starlette, port: int) -> None:
    """Serve until SIGTERM, then end what is under way."""
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - the pod's address; the network policy says who may ask
        port=port,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )
