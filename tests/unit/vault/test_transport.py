"""Responses of Vault end at a limit, however long they are and however they are sent."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import pytest

from vrooli.errors import VrooliError
from vrooli.vault import VaultClient, calls, transport

POLICIES = json.dumps({"data": {"policies": ["p"]}}).encode()
# What a connection takes beyond the limit: the buffers of both sides.
BUFFERS_BYTES = 16 * 1024 * 1024


@asynccontextmanager
async def serving(head: bytes, pieces: Iterator[bytes], sent: list[int]) -> AsyncIterator[str]:
    """A server that sends the pieces until its client is gone, and counts the bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 X\r\n" + head + b"\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                sent[0] += len(piece)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _endless() -> Iterator[bytes]:
    block = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        yield block


def _of_length(count: int) -> Iterator[bytes]:
    for _ in range(count // 0x10000):
        yield b" " * 0x10000


LONG = 100 * 1024 * 1024


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        (f"content-length: {LONG}\r\n".encode(), _of_length(LONG)),
        (b"transfer-encoding: chunked\r\n", _endless()),
        (b"connection: close\r\n", _of_length(LONG)),
    ],
    ids=["length", "chunked", "until closed"],
)
async def test_a_response_without_an_end_is_refused_at_the_limit(
    head: bytes, pieces: Iterator[bytes]
) -> None:
    sent = [0]
    async with serving(head, pieces, sent) as address:
        with (
            closing(VaultClient(address)) as vault,
            pytest.raises(VrooliError, match="more than 4 MiB") as refused,
        ):
            await vault.own_policies()
    assert "a request to look up the current token" in refused.value.message
    assert "is the address of a Vault" in refused.value.advice
    assert sent[0] < transport.LIMIT_BYTES + BUFFERS_BYTES


@pytest.mark.anyio
async def test_a_compressed_response_is_refused_since_it_could_be_longer() -> None:
    body = gzip.compress(POLICIES)
    head = f"content-encoding: gzip\r\ncontent-length: {len(body)}\r\n".encode()
    async with serving(head, iter([body]), [0]) as address:
        with closing(VaultClient(address)) as vault, pytest.raises(VrooliError, match="compressed"):
            await vault.own_policies()


@pytest.mark.anyio
@pytest.mark.parametrize("length", [len(POLICIES), transport.LIMIT_BYTES])
async def test_a_response_up_to_the_limit_is_read(length: int) -> None:
    body = POLICIES.ljust(length)
    head = f"content-length: {len(body)}\r\n".encode()
    async with serving(head, iter([body]), [0]) as address:
        with closing(VaultClient(address)) as vault:
            assert await vault.own_policies() == ["p"]


@pytest.mark.anyio
async def test_a_response_that_ends_early_is_no_answer() -> None:
    head = f"content-length: {len(POLICIES) + 1}\r\n".encode()
    async with serving(head, iter([POLICIES]), [0]) as address:
        with (
            closing(VaultClient(address)) as vault,
            pytest.raises(VrooliError, match="did not answer"),
        ):
            await vault.own_policies()


@pytest.mark.anyio
async def test_a_response_that_arrives_byte_by_byte_does_not_keep_a_command_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_ended, is_closed = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")
        while not is_ended.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        is_closed.set()

    monkeypatch.setattr(calls, "TOTAL_S", 0.3)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        before = set(threading.enumerate())
        with closing(VaultClient(address)) as vault:
            with pytest.raises(VrooliError, match="did not answer"):
                await vault.own_policies()
            (waiting,) = set(threading.enumerate()) - before
            assert waiting.daemon
            is_ended.set()
            await is_closed.wait()
            await asyncio.to_thread(waiting.join, 5)


@pytest.mark.anyio
async def test_an_error_of_a_call_is_raised_where_it_is_awaited() -> None:
    assert await transport.in_time(lambda: 1, 5.0) == 1
    with pytest.raises(ZeroDivisionError):
        await transport.in_time(lambda: 1 // 0, 5.0)
