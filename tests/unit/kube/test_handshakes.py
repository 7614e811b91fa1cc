"""A cancelled request leaves no connection open."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from vrooli.kube import handshakes


@pytest.mark.anyio
async def test_a_connection_is_closed_when_its_handshake_is_cancelled() -> None:
    handshakes.close_cancelled()
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    began = asyncio.Event()

    async def answer_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = await reader.read(5)
            began.set()
            await reader.read()  # until the client closes the connection
            ended.set_result(hello)
        finally:
            writer.close()

    server = await asyncio.start_server(answer_nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with httpx.AsyncClient() as client:
            request = asyncio.create_task(client.get(f"https://127.0.0.1:{port}/"))
            await asyncio.wait_for(began.wait(), 60)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert (await asyncio.wait_for(ended, 60))[:1] == b"\x16"  # a handshake of TLS
