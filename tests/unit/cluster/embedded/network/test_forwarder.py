"""Ports of 127.0.0.1: claimed before they are used, forwarded byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from support.programs.ports import free_port
from vrooli.cluster.embedded.network import forwarder
from vrooli.cluster.embedded.polling import poll_until
from vrooli.errors import PrerequisiteError, UsageError

pytestmark = pytest.mark.anyio


async def _socket() -> socket.socket:
    return socket.socket()


def _target(port: int) -> forwarder.Target:
    return forwarder.Target("127.0.0.1", port, _socket)


@contextlib.asynccontextmanager
async def _echo_at_end() -> AsyncIterator[int]:
    """A server that answers only when its client has said everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(-1))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_bytes_and_the_end_of_one_direction_pass_through() -> None:
    said = b"x" * 300_000
    async with _echo_at_end() as far:
        near = free_port()
        async with await forwarder.listen(near, _target(far)):
            reader, writer = await asyncio.open_connection("127.0.0.1", near)
            writer.write(said)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(-1), 60) == said
            writer.close()


async def test_parts_of_a_request_do_not_wait_for_acknowledgements() -> None:
    created: list[socket.socket] = []
    options: list[int] = []

    async def create_socket() -> socket.socket:
        created.append(socket.socket())
        return created[-1]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        options.append(created[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    near = free_port()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        far = server.sockets[0].getsockname()[1]
        target = forwarder.Target("127.0.0.1", far, create_socket)
        async with await forwarder.listen(near, target):
            reader, writer = await asyncio.open_connection("127.0.0.1", near)
            writer.write(b"x")
            await asyncio.wait_for(reader.read(-1), 60)
            writer.close()
    assert options == [1]


async def test_a_connection_to_nobody_is_closed_and_the_next_one_served() -> None:
    near, far = free_port(), free_port()
    async with await forwarder.listen(near, _target(far)):
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", near)
            assert await asyncio.wait_for(reader.read(-1), 60) == b""
            writer.close()


def test_a_port_in_use_is_named_with_the_way_to_choose_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=f"Port {port}") as raised:
            forwarder.claim({"http": port})
    assert "--port http=" in raised.value.advice


def test_zero_takes_free_ports_that_differ() -> None:
    ports = forwarder.claim({"api": 0, "http": 0, "https": 0})
    assert len(set(ports.values())) == 3
    assert all(port in forwarder.FREE for port in ports.values())


def test_no_free_port_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(forwarder, "FREE", [other.getsockname()[1]])
        with pytest.raises(PrerequisiteError, match="Each port"):
            forwarder.claim({"http": 0})


@pytest.mark.parametrize("ports", [{"api": 5, "http": 5}, {"api": -1}, {"api": 65536}])
def test_ports_that_cannot_be_are_refused(ports: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        forwarder.claim(ports)


async def test_a_connection_that_is_refused_is_tried_again_without_the_client_noticing() -> None:
    near, far = free_port(), free_port()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(-1))
        await writer.drain()
        writer.close()

    async with await forwarder.listen(near, _target(far)):
        reader, writer = await asyncio.open_connection("127.0.0.1", near)
        writer.write(b"once")
        writer.write_eof()
        await asyncio.sleep(3 * forwarder.ATTEMPT_PAUSE_S)
        async with await asyncio.start_server(serve, "127.0.0.1", far):
            assert await asyncio.wait_for(reader.read(-1), 60) == b"once"
        writer.close()


async def test_further_connections_are_closed_at_once_and_freed_ones_are_used_again() -> None:
    near = free_port()

    async def send(content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", near)
        with contextlib.suppress(OSError):
            writer.write(content)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(-1), 60)
            writer.close()
            await writer.wait_closed()
            return answer
        writer.close()
        return b""

    async def is_served() -> bool:
        return await send(b"once") == b"once"

    async with _echo_at_end() as far, await forwarder.listen(near, _target(far), most=2):
        idle = [await asyncio.open_connection("127.0.0.1", near) for _ in range(2)]
        assert await send(b"once") == b""
        for reader, writer in idle:
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(-1), 60) == b""
            writer.close()
            await writer.wait_closed()
            assert await poll_until(is_served, 60)


@pytest.mark.parametrize(
    ("ports", "descriptors", "most"), [(3, 65536, 256), (3, 1024, 85), (3, 300, 25), (0, 1024, 256)]
)
def test_connections_use_at_most_half_of_the_descriptors(
    ports: int, descriptors: int, most: int
) -> None:
    assert forwarder.most_connections(ports, descriptors) == most
