"""A proxy of an API server that can be made to stop responding."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import yaml


class Way:
    """Passes bytes on, as long as it is open."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """From now on nothing is passed on; connections stay."""
        self._open.clear()

    async def end(self) -> None:
        """Let go of all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(
                    self._pass(reader, server_writer), self._pass(server_reader, writer)
                )
            finally:
                for end in (server_writer, writer):
                    end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def way(kubeconfig: Path, folder: Path) -> AsyncIterator[Way]:
    """A proxy of a kubeconfig's API server, with its own kubeconfig."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    port = urlsplit(cluster["server"]).port
    assert port is not None
    result = Way(folder / "slow-kubeconfig")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await result.serve(port, reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    cluster["server"] = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    result.kubeconfig.write_text(yaml.safe_dump(config))
    try:
        yield result
    finally:
        server.close()
        await result.end()
        await server.wait_closed()
