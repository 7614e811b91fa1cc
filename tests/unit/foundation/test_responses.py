"""A response that is too long or compressed is not read: it would fill the memory."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from vrooli.responses import MIB, LimitedClient, read_json

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(body: bytes, headers: str = "") -> AsyncIterator[str]:
    """The address of a server that answers each request with a body."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_response_of_the_limit_is_read() -> None:
    async with serving(b"x" * MIB) as url, LimitedClient(limit_mib=1, trust_env=False) as client:
        assert len((await client.get(url)).content) == MIB


async def test_a_longer_response_is_refused() -> None:
    async with (
        serving(b"x" * (MIB + 1)) as url,
        LimitedClient(limit_mib=1, trust_env=False) as client,
    ):
        with pytest.raises(httpx.DecodingError, match="longer than 1 MiB"):
            await client.get(url)


async def test_a_compressed_response_is_refused() -> None:
    body = gzip.compress(b" " * MIB)
    async with (
        serving(body, "Content-Encoding: gzip\r\n") as url,
        LimitedClient(trust_env=False) as client,
    ):
        with pytest.raises(httpx.DecodingError, match="compressed"):
            await client.get(url)


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_a_response_that_says_that_it_is_not_compressed_is_read(encoding: str) -> None:
    async with (
        serving(b"{}", f"Content-Encoding: {encoding}\r\n") as url,
        LimitedClient(trust_env=False) as client,
    ):
        assert read_json(await client.get(url)) == {}


@pytest.mark.parametrize("codec", ["punycode", "zip", "base64", "utf-16"])
async def test_a_response_is_text_in_utf_8_whatever_codec_it_names(codec: str) -> None:
    async with (
        serving("ä".encode(), f"Content-Type: text/plain; charset={codec}\r\n") as url,
        LimitedClient(trust_env=False) as client,
    ):
        assert (await client.get(url)).text == "ä"


async def test_a_response_that_arrives_byte_by_byte_is_left() -> None:
    is_left, is_ended = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not is_left.is_set():
            writer.write(b"x")
            await asyncio.sleep(0.05)
        writer.close()
        is_ended.set()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        LimitedClient(total_s=0.5, timeout=30, trust_env=False) as client,
    ):
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(httpx.ReadTimeout, match="takes longer than"):
            await client.get(f"http://127.0.0.1:{port}")
        is_left.set()
        await is_ended.wait()


async def test_json_that_is_nested_too_deeply_is_no_json() -> None:
    async with serving(b"[" * 100_000) as url, LimitedClient(trust_env=False) as client:
        answer = await client.get(url)
        with pytest.raises(ValueError, match="nested too deeply"):
            read_json(answer)
