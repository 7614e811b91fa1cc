"""An API server's way into a pod: a web socket that is refused, broken off, or passed through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Request

# Each channel begins with the number of its port; the second one tells of errors.
DATA, ERROR, PORT = b"\x00", b"\x01", b"\x50\x00"


class Ending(StrEnum):
    """What becomes of a connection into the pod."""

    REFUSED = "403 Forbidden"
    NOT_FOUND = "404 Not Found"
    RESET = "reset after the first bytes"
    CLOSED = "closed after the first bytes"
    EMPTY = "a frame without a channel"
    NOBODY_LISTENS = "the pod refuses the connection"
    ECHO = "what is sent comes back"


@asynccontextmanager
async def serving(ending: Ending) -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and the request line of each connection."""
    requested: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _serve(reader, writer, ending, requested)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requested


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ending: Ending, requests: list[str]
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    requests.append(head.split(b"\r\n")[0].decode())
    if ending in (Ending.REFUSED, Ending.NOT_FOUND):
        writer.write(f"HTTP/1.1 {ending}\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        return
    socket = WSConnection(ConnectionType.SERVER)
    socket.receive_data(head)
    (request,) = socket.events()
    assert isinstance(request, Request)
    writer.write(socket.send(AcceptConnection()))
    for channel in (DATA, ERROR):
        writer.write(socket.send(BytesMessage(channel + PORT)))
    if ending is Ending.NOBODY_LISTENS:
        writer.write(socket.send(BytesMessage(ERROR + b"connection refused")))
    while data := await reader.read(65536):
        socket.receive_data(data)
        for event in socket.events():
            if isinstance(event, CloseConnection):
                writer.write(socket.send(event.response()))
                return
            if isinstance(event, Message):
                await _end(socket, writer, ending, bytes(event.data))
        if ending in (Ending.RESET, Ending.CLOSED):
            return


async def _end(
    socket: WSConnection, writer: asyncio.StreamWriter, ending: Ending, data: bytes
) -> None:
    if ending is Ending.RESET:
        writer.transport.abort()
    elif ending is Ending.CLOSED:
        writer.write(socket.send(CloseConnection(1011, "the pod has gone")))
    elif ending is Ending.EMPTY:
        writer.write(socket.send(BytesMessage(b"")))
    elif ending is Ending.ECHO:
        writer.write(socket.send(BytesMessage(data)))
    with contextlib.suppress(OSError):
        await writer.drain()
