"""Ports of 127.0.0.1 that lead into a cluster's network namespace, over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping

from vrooli.errors import EnvironmentLackError, UsageError

LOCALHOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
CONNECT_S = 5.0
HIGHEST_PORT = 65535


def claim(ports: Mapping[str, int]) -> dict[str, int]:
    """The ports, each 0 replaced by a free one.

    Raises:
        UsageError: One is no port's number, or two are the same.
        EnvironmentLackError: One is in use.
    """
    given = [port for port in ports.values() if port]
    if len(set(given)) != len(given) or any(not 0 <= port <= HIGHEST_PORT for port in given):
        raise UsageError(
            f"The ports {dict(ports)} can't be used.",
            f"Give each a number of its own, up to {HIGHEST_PORT}; 0 takes any free one.",
        )
    with contextlib.ExitStack() as stack:
        return {name: _claim(stack, name, port) for name, port in ports.items()}


def _claim(stack: contextlib.ExitStack, name: str, port: int) -> int:
    """Bind the port for a moment; all stay bound together, so that none is chosen twice."""
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOCALHOST, port))
        listener.listen(1)
    except OSError as error:
        raise EnvironmentLackError(
            f"Port {port} of {LOCALHOST}, for the cluster's {name}, is in use or can't be had: "
            f"{error.strerror}.",
            f"Choose another with --port {name}=NUMBER; {name}=0 takes any free one.",
        ) from error
    return int(listener.getsockname()[1])


async def listen(port: int, host: str, inside: int) -> asyncio.Server:
    """Forward every connection to the port to ``host:inside``, until the server is closed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            await _forward(reader, writer, host, inside)
        writer.close()

    return await asyncio.start_server(serve, LOCALHOST, port)


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    async with asyncio.timeout(CONNECT_S):
        far_reader, far_writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, far_writer))
            group.create_task(_copy(far_reader, writer))
    except* OSError:
        pass  # one side went away: so does the other
    finally:
        far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass the end on: the other direction may still speak."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
