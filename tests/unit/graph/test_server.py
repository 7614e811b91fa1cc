"""The server of the page: GET requests to its own host name, and events for open pages."""

from __future__ import annotations

import asyncio

import pytest

from vrooli.errors import UsageError
from vrooli.graph.render.server import Server


def server(opened: asyncio.Event | None = None) -> Server:
    return Server(lambda: "<p>the page</p>", (opened or asyncio.Event()).set)


async def asked(port: int, head: str) -> str:
    """The whole answer to a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    answer = (await asyncio.wait_for(reader.read(), 60)).decode()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\n\r\n", "421"),
        ("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "405"),
        ("GET /../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "404"),
        ("what is this\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: " + "x" * 40_000 + "\r\n\r\n", "431"),
    ],
)
async def test_only_get_requests_to_its_own_host_name_are_served(head: str, status: str) -> None:
    served = server()
    async with served.running(0):
        answer = await asked(served.port, head.replace("{port}", str(served.port)))
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("the page" in answer) == (status == "200")


@pytest.mark.anyio
async def test_an_open_page_receives_each_change_once() -> None:
    opened = asyncio.Event()
    served = server(opened)
    async with served.running(0):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert b"text/event-stream" in head
        await asyncio.wait_for(opened.wait(), 60)
        assert served.has_viewers
        for message in ("one", "one", "two"):
            served.publish(message)
        heard = [await asyncio.wait_for(reader.readuntil(b"\n\n"), 60) for _ in range(2)]
        assert [event.split(b"data: ")[1].strip() for event in heard] == [b"one", b"two"]
        writer.close()
        await writer.wait_closed()


@pytest.mark.anyio
async def test_a_port_in_use_is_reported() -> None:
    served = server()
    async with served.running(0):
        with pytest.raises(UsageError, match="can't be used"):
            async with server().running(served.port):
                pass
