"""Whatever answers in place of the server, its answer is an error with advice."""

from __future__ import annotations

import asyncio

import pytest

from vrooli.development import sample_posts
from vrooli.errors import VrooliError
from vrooli.events import Progress

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"posts": [{}]}', '{"posts": 1}'])
async def test_an_answer_of_another_server_is_reported(body: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(VrooliError, match="not that of the reference services"):
            await sample_posts.write(url, Progress())
