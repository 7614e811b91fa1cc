"""A small HTTP server on 127.0.0.1: one page, and server-sent events for what changes.

It answers GET only, and only when it is asked by its own name: a page of somebody else's, whose
name was made to lead to 127.0.0.1, gets nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vrooli.errors import UsageError
from vrooli.graph.render import html

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
# A request's head: how long it may take and how large it may be; pages that are open at once.
HEAD_S, HEAD_BYTES, MOST = 5.0, 16_384, 32
# A silent stream says this often that it is alive, seconds.
ALIVE_S = 10.0
HEADERS = (
    "Cache-Control: no-store",
    "Connection: close",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
)


class RefusedError(Exception):
    """A request that isn't answered as asked: the status, and why."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(status)
        self.status, self.why = status, why


class Server:
    """Serves a page and tells the open ones what changes."""

    def __init__(self, render: Callable[[], str], on_open: Callable[[], None]) -> None:
        self._render, self._on_open = render, on_open
        self._open: set[asyncio.Queue[str]] = set()
        self._last = ""
        self.port = 0

    @property
    def is_watched(self) -> bool:
        """Whether any page is open."""
        return bool(self._open)

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[str]:
        """Serve on a port, 0 for any free one; the value is the address to open.

        Raises:
            UsageError: The port is taken.
        """
        try:
            server = await asyncio.start_server(self._handle, HOST, port, limit=HEAD_BYTES)
        except OSError as error:
            raise UsageError(
                f"Port {port} of {HOST} can't be used: {error.strerror}.",
                "Name another with --port; 0 takes any free one.",
            ) from error
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://{HOST}:{self.port}/"
        finally:
            server.close()
            for queue in self._open:
                queue.put_nowait("")

    def tell(self, message: str) -> None:
        """Tell every open page how the arrows are, unless nothing is new."""
        if message != self._last:
            self._last = message
            self._send(_event("arrows", message))

    def reload(self) -> None:
        """Let every open page load anew: it is another picture."""
        self._last = ""
        self._send(_event("reload", "{}"))

    def _send(self, event: str) -> None:
        for queue in self._open:
            queue.put_nowait(event)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            try:
                path = await self._request(reader)
                if path == "/events":
                    await self._stream(writer)
                elif path == "/":
                    await _answer(writer, "200 OK", self._render(), "text/html")
                else:
                    await _answer(writer, "404 Not Found", "There is only / here.", "text/plain")
            except RefusedError as refusal:
                await _answer(writer, refusal.status, refusal.why, "text/plain")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> str:
        """The path that is asked for.

        Raises:
            RefusedError: It isn't GET, has another host's name, or isn't HTTP.
        """
        try:
            async with asyncio.timeout(HEAD_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            raise RefusedError("431 Request Header Fields Too Large", "Too much.") from None
        lines = head.split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004
            raise RefusedError("400 Bad Request", "This is no HTTP request.")
        hosts = [line[5:].strip().lower() for line in lines if line.lower().startswith("host:")]
        if hosts not in [[f"{name}:{self.port}"] for name in NAMES]:
            raise RefusedError(
                "421 Misdirected Request", f"This is {HOST}:{self.port}, nothing else."
            )
        if words[0] != "GET":
            raise RefusedError("405 Method Not Allowed", "Only GET.")
        return words[1].partition("?")[0]

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """Send each change to one page until it is closed."""
        if len(self._open) >= MOST:
            raise RefusedError("503 Service Unavailable", "Too many pages are open.")
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._open.add(queue)
        try:
            writer.write(_head("200 OK", "text/event-stream"))
            if self._last:
                writer.write(_event("arrows", self._last).encode())
            await writer.drain()
            self._on_open()
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), ALIVE_S)
                except TimeoutError:
                    event = ": alive\n\n"
                if not event:
                    return
                writer.write(event.encode())
                await writer.drain()
        finally:
            self._open.discard(queue)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _head(status: str, kind: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}; charset=utf-8",
        *HEADERS,
        f"Content-Security-Policy: {html.policy()}; frame-ancestors 'none'",
        *(() if length is None else (f"Content-Length: {length}",)),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def _answer(writer: asyncio.StreamWriter, status: str, text: str, kind: str) -> None:
    body = text.encode()
    writer.write(_head(status, kind, len(body)) + body)
    await writer.drain()
