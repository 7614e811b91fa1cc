"""Heads of requests above the limits are refused before they are parsed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from vrooli_shared import heads, web

pytestmark = pytest.mark.anyio

REQUEST = b"GET / HTTP/1.1\r\nHost: vrooli\r\n"
SHORT = REQUEST + b"\r\n"
MANY = REQUEST + b"a: b\r\n" * 300 + b"\r\n"
LARGE = REQUEST + b"a: " + b"b" * 20_000 + b"\r\n\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server with one page, as `web.serve` configures it."""

    async def page(_: Request) -> Response:
        return PlainTextResponse("ok")

    config = uvicorn.Config(
        Starlette(routes=[Route("/", page)]),
        host="127.0.0.1",
        port=0,
        log_config=None,
        http=heads.LimitedProtocol,
    )
    server = web.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(120):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no events
            await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


async def _statuses(port: int, *pieces: bytes) -> list[bytes]:
    """The status of each response, until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    received = await reader.read()
    writer.close()
    return re.findall(rb"HTTP/1\.1 (\d+)", received)


CLOSING = REQUEST + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([CLOSING], [b"200"]),
        ([SHORT + CLOSING], [b"200", b"200"]),
        ([CLOSING[:20], CLOSING[20:]], [b"200"]),
        ([REQUEST + b"a: b\r\n" * 90 + b"Connection: close\r\n\r\n"], [b"200"]),
        ([MANY], [b"400"]),
        ([LARGE], [b"400"]),
        ([MANY[:400], MANY[400:800]], [b"400"]),
        ([SHORT + MANY], [b"200", b"400"]),
        ([REQUEST + b"a: b\rc\r\n\r\n"], [b"400"]),
        # The end of a line may arrive in two pieces.
        ([REQUEST + b"a: b\r", b"\nConnection: close\r\n\r\n"], [b"200"]),
        ([REQUEST + b"a: \xe4\tb\r\nConnection: close\r\n\r\n"], [b"200"]),
        ([REQUEST + b"Connection: close\nContent-Length: 3\n\n\x00\r\v"], [b"200"]),
    ],
)
async def test_a_head_above_the_limits_is_refused(
    port: int, pieces: list[bytes], statuses: list[bytes]
) -> None:
    assert await _statuses(port, *pieces) == statuses


@pytest.mark.parametrize("character", [b"\x00", b"\v", b"\f", b"\r"])
async def test_blanks_before_a_character_that_is_none_of_a_header_take_no_time(
    port: int, character: bytes
) -> None:
    """h11 would take seconds, which no other request gets."""
    head = REQUEST + b"a: " + b"\t" * 16_000 + character + b"b\r\n\r\n"
    began = time.process_time()
    assert await _statuses(port, head) == [b"400"]
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("data", "is_long"),
    [
        (b"a" * (heads.MAX_HEAD + 1), True),
        (b"a" * heads.MAX_HEAD, False),
        (b"\r\n" * 2 + b"a" * heads.MAX_HEAD * 2, False),
    ],
)
def test_a_long_head_is_known_without_its_end(data: bytes, *, is_long: bool) -> None:
    assert heads.is_long(data, heads.head_length(data)) == is_long
