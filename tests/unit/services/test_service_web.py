"""What both HTTP services do alike: errors as JSON, and the limit on bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from support.fakes.asgi import asgi_client
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
