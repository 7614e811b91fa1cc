"""Passes the requests of a pod on to a service on a host, which the pod can't reach by itself.

Arguments: the port of the pod's service, and the port for the host's connections.

The host opens connections to this program in advance, through the Kubernetes API. Each client of
the pod gets one of them, and both are joined. The pod accepts clients only while the host has such
connections, so its probes fail soon after the host's program has ended.
"""

import asyncio
import contextlib
import sys
from typing import Any

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SIZE = 64 * 1024
# How long a client waits for a connection of the host, and how long the pod accepts clients after
# the end of the last one, seconds.
WAIT_S, GRACE_S = 10.0, 3.0


async def copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    first: asyncio.Future[bytes] | None = None,
) -> None:
    """Copy bytes until one of both connections ends; the first ones may be read already."""
    with contextlib.suppress(OSError):
        data = await (first or reader.read(SIZE))
        while data:
            writer.write(data)
            await writer.drain()
            data = await reader.read(SIZE)


async def join(client: Ends, host: Ends, first: asyncio.Future[bytes] | None = None) -> None:
    """Join two connections until one of them ends; the host's first bytes may be read already."""
    tasks = [
        asyncio.create_task(copy(client[0], host[1])),
        asyncio.create_task(copy(host[0], client[1], first)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        client[1].close()
        host[1].close()


class Relay:
    """The clients of a pod, and the connections of the host."""

    def __init__(self, port: int) -> None:
        self._port = port
        # Each is completed with its client, or cancelled if the host ends it first.
        self._free: asyncio.Queue[asyncio.Future[Ends]] = asyncio.Queue()
        self._hosts = 0
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()

    async def accept_host(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a connection of the host until a client needs it, and join them."""
        self._hosts += 1
        slot: asyncio.Future[Ends] = asyncio.get_running_loop().create_future()
        # The host sends nothing before it has read something, so until then only its end is read.
        first = asyncio.create_task(reader.read(SIZE))
        try:
            await self._open()
            self._free.put_nowait(slot)
            either: list[asyncio.Future[Any]] = [slot, first]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not slot.cancel():
                await join(slot.result(), (reader, writer), first)
        finally:
            first.cancel()
            writer.close()
            self._hosts -= 1
            asyncio.get_running_loop().call_later(GRACE_S, self._close_if_alone)

    async def accept_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Give a client a connection of the host, or close it if there is none in time."""
        try:
            async with asyncio.timeout(WAIT_S):
                slot = await self._free.get()
                while slot.done():
                    slot = await self._free.get()
        except TimeoutError:
            writer.close()
        else:
            slot.set_result((reader, writer))

    async def _open(self) -> None:
        async with self._opening:
            if self._server is None:
                self._server = await asyncio.start_server(self.accept_client, None, self._port)

    def _close_if_alone(self) -> None:
        if self._hosts == 0 and self._server is not None:
            self._server.close()
            self._server = None


async def main(port: int, host_port: int) -> None:
    """Relay until the container is stopped."""
    relay = Relay(port)
    async with await asyncio.start_server(relay.accept_host, "localhost", host_port):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
