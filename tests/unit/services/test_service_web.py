"""What both HTTP services do alike: errors as JSON, and the limit on bodies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import psycopg
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from support.fakes.asgi import asgi_client
from vrooli_shared import web
from vrooli_shared.web import HANDLERS, ApiError, BodyLimit

LIMIT = 1000


async def _length(request: Request) -> Response:
    return JSONResponse({"length": len(await request.body())})


async def _teapot(_: Request) -> Response:
    raise ApiError(418, "teapot", "I'm a teapot.")


async def _database_down(_: Request) -> Response:
    raise psycopg.OperationalError("connection to 10.0.0.7 with password failed")


async def _bug(_: Request) -> Response:
    raise RuntimeError("secret detail")


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - uvicorn has no events
        await asyncio.sleep(0.01)


async def test_the_connection_of_a_client_that_reads_nothing_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "UNREAD_S", 1)

    async def large(_: Request) -> Response:
        return Response(bytes(16 * 1024**2))  # more than the kernel keeps

    config = uvicorn.Config(
        Starlette(routes=[Route("/", large)]), host="127.0.0.1", port=0, log_config=None
    )
    server = web.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(120):
        await _until(lambda: server.started)
        with socket.create_connection(server.servers[0].sockets[0].getsockname()) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: vrooli\r\n\r\n")
            await _until(lambda: bool(server.server_state.connections))
            await _until(lambda: not server.server_state.connections)
        server.should_exit = True
        await serving


async def test_little_is_kept_for_a_client_that_reads_nothing() -> None:
    pieces = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal pieces
        for _ in range(256):
            yield bytes(64 * 1024)
            pieces += 1

    async def large(_: Request) -> Response:
        return StreamingResponse(stream())

    config = uvicorn.Config(
        Starlette(routes=[Route("/", large)]), host="127.0.0.1", port=0, log_config=None
    )
    server = web.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(120):
        await _until(lambda: server.started)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            client.connect(server.servers[0].sockets[0].getsockname())
            client.sendall(b"GET / HTTP/1.1\r\nHost: vrooli\r\n\r\n")
            await _until(lambda: pieces > 0)
            await asyncio.sleep(0.5)
            assert pieces < 1024**2 / (64 * 1024)
        server.should_exit = True
        await serving


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a small application with our handlers and limit."""
    routes = [
        Route("/length", _length, methods=["POST"]),
        Route("/teapot", _teapot),
        Route("/down", _database_down),
        Route("/bug", _bug),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(BodyLimit, max_bytes=LIMIT)],
        exception_handlers=HANDLERS,
    )
    async with asgi_client(app) as client:
        yield client


async def test_a_body_up_to_the_limit_is_accepted(client: httpx.AsyncClient) -> None:
    """The limit itself is still allowed."""
    assert (await client.post("/length", content=b"x" * LIMIT)).json() == {"length": LIMIT}


async def test_a_too_large_content_length_is_rejected_without_reading(
    client: httpx.AsyncClient,
) -> None:
    """Content-Length is enough to refuse."""
    answer = await client.post("/length", content=b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")


async def test_a_body_without_length_is_rejected_beyond_the_limit(
    client: httpx.AsyncClient,
) -> None:
    """A chunked body can't get around the limit."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 300

    answer = await client.post("/length", content=chunks())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/teapot", 418, "teapot"),
        ("/nowhere", 404, "http-404"),
        ("/length", 405, "http-405"),
        ("/down", 503, "store-unavailable"),
        ("/bug", 500, "internal"),
    ],
)
async def test_each_error_has_the_same_format(
    client: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    """A name for machines and a sentence for people, and nothing from inside."""
    answer = await client.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"]
    assert "10.0.0.7" not in answer.text
    assert "secret" not in answer.text
