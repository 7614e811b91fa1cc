"""A minimal API client for health checks and events, small enough for the supervisor.

Everything else goes through vrooli.kube.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import Record

HOST = "127.0.0.1"
ANSWER_S = 5.0
OK, CREATED = 200, 201


class Api:
    """A client of a cluster's API server, as administrator, over its port on 127.0.0.1."""

    def __init__(self, layout: Layout, record: Record) -> None:
        self._pki: Path = layout.pki
        self._record = record
        self._context: ssl.SSLContext | None = None

    async def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of a response; status 0 without a response."""
        return await self._request(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n")

    async def create(self, path: str, body: Mapping[str, Any]) -> bool:
        """Create an object; returns whether it was created."""
        return await self._write("POST", path, body) == CREATED

    async def replace(self, path: str, body: Mapping[str, Any]) -> bool:
        """Replace an object; returns whether it was replaced."""
        return await self._write("PUT", path, body) == OK

    async def answers(self, path: str) -> bool:
        """Whether the response is 200 OK."""
        status, _ = await self.get(path)
        return status == OK

    async def read(self, path: str) -> dict[str, Any]:
        """An object; empty if it cannot be read."""
        status, body = await self.get(path)
        return dict(json.loads(body)) if status == OK else {}

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> int:
        text = json.dumps(body)
        status, _ = await self._request(
            f"{method} {path} HTTP/1.0\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}"
        )
        return status

    async def _request(self, request: str) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._send(request)
        except (OSError, TimeoutError, ValueError, IndexError):
            return 0, b""

    async def _send(self, request: str) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(
            HOST, self._record.ports["api"], ssl=self._ssl()
        )
        try:
            # Version 1.0: the body ends with the connection.
            writer.write(request.encode())
            await writer.drain()
            head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return int(head.split()[1]), body

    def _ssl(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
            self._context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
        return self._context
