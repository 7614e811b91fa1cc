"""A small HTTP server on 127.0.0.1: one page, and server-sent events for changes.

It serves only GET requests with its own host name, as protection against DNS rebinding.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vrooli.errors import UsageError
from vrooli.graph.render import html

HOST = "127.0.0.1"
ALLOWED_HOSTS = (HOST, "localhost")
# Limits of a request's head (time, size), and of pages that are open at the same time.
HEAD_TIMEOUT_S, HEAD_BYTES, MAX_STREAMS = 5.0, 16_384, 32
# Interval of keep-alive comments in an idle stream, seconds.
KEEPALIVE_S = 10.0
HEADERS = (
    "Cache-Control: no-store",
    "Connection: close",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
)


class RefusedError(Exception):
    """A rejected request: the HTTP status and the reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(status)
        self.status, self.reason = status, reason


class Server:
    """Serves a page and sends changes to open pages."""

    def __init__(self, render: Callable[[], str], on_open: Callable[[], None]) -> None:
        self._render, self._on_open = render, on_open
        self._streams: set[asyncio.Queue[str]] = set()
        self._last_message = ""
        self.port = 0

    @property
    def has_viewers(self) -> bool:
        """Whether any page is open."""
        return bool(self._streams)

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[str]:
        """Serve on a port, 0 for any free one; yields the URL.

        Raises:
            UsageError: The port is in use.
        """
        try:
            server = await asyncio.start_server(self._handle, HOST, port, limit=HEAD_BYTES)
        except OSError as error:
            raise UsageError(
                f"Port {port} of {HOST} can't be used: {error.strerror}.",
                "Choose another port with --port; 0 selects a free one.",
            ) from error
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://{HOST}:{self.port}/"
        finally:
            server.close()
            for queue in self._streams:
                queue.put_nowait("")

    def publish(self, message: str) -> None:
        """Send a message to every open page, unless it equals the last one."""
        if message != self._last_message:
            self._last_message = message
            self._send(_event("arrows", message))

    def reload(self) -> None:
        """Make every open page reload: the diagrams have changed."""
        self._last_message = ""
        self._send(_event("reload", "{}"))

    def _send(self, event: str) -> None:
        for queue in self._streams:
            queue.put_nowait(event)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            try:
                path = await self._request(reader)
                if path == "/events":
                    await self._stream(writer)
                elif path == "/":
                    await _respond(writer, "200 OK", self._render(), "text/html")
                else:
                    await _respond(writer, "404 Not Found", "There is only / here.", "text/plain")
            except RefusedError as refusal:
                await _respond(writer, refusal.status, refusal.reason, "text/plain")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> str:
        """The requested path.

        Raises:
            RefusedError: It is not GET, has another host name, or is not HTTP.
        """
        try:
            async with asyncio.timeout(HEAD_TIMEOUT_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            raise RefusedError("431 Request Header Fields Too Large", "Too much.") from None
        lines = head.split("\r\n")
        request_line = lines[0].split(" ")
        if len(request_line) != 3 or not request_line[2].startswith("HTTP/1."):  # noqa: PLR2004
            raise RefusedError("400 Bad Request", "This is no HTTP request.")
        hosts = [line[5:].strip().lower() for line in lines if line.lower().startswith("host:")]
        if hosts not in [[f"{name}:{self.port}"] for name in ALLOWED_HOSTS]:
            raise RefusedError(
                "421 Misdirected Request", f"This is {HOST}:{self.port}, nothing else."
            )
        if request_line[0] != "GET":
            raise RefusedError("405 Method Not Allowed", "Only GET.")
        return request_line[1].partition("?")[0]

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """Send events to one page until it is closed."""
        if len(self._streams) >= MAX_STREAMS:
            raise RefusedError("503 Service Unavailable", "Too many pages are open.")
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._streams.add(queue)
        try:
            writer.write(_head("200 OK", "text/event-stream"))
            if self._last_message:
                writer.write(_event("arrows", self._last_message).encode())
            await writer.drain()
            self._on_open()
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), KEEPALIVE_S)
                except TimeoutError:
                    event = ": alive\n\n"
                if not event:
                    return
                writer.write(event.encode())
                await writer.drain()
        finally:
            self._streams.discard(queue)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _head(status: str, kind: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}; charset=utf-8",
        *HEADERS,
        f"Content-Security-Policy: {html.content_security_policy()}; frame-ancestors 'none'",
        *(() if length is None else (f"Content-Length: {length}",)),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def _respond(writer: asyncio.StreamWriter, status: str, text: str, kind: str) -> None:
    body = text.encode()
    writer.write(_head(status, kind, len(body)) + body)
    await writer.drain()
