"""Forwards TCP ports of 127.0.0.1 into a cluster's network namespace.

Its connections begin inside the namespace, so the cluster's firewall can refuse everything that
comes over the link from the host, which every local user could use.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from vrooli.errors import PrerequisiteError, UsageError

# Creates an unconnected TCP socket in the network namespace of the target.
SocketFactory = Callable[[], Awaitable[socket.socket]]
LOCALHOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
# Timeout of a connection to the target, seconds: of all attempts, and of each.
CONNECT_S, ATTEMPT_S = 5.0, 1.0
# The target may be a Service with several pods, one of which was just killed and refuses
# connections; the next attempt may reach another pod.
CONNECT_ATTEMPTS, ATTEMPT_PAUSE_S = 20, 0.05
HIGHEST_PORT = 65535
# The connections of a port at a time. Each needs two file descriptors.
MOST_CONNECTIONS, DESCRIPTORS_EACH = 256, 2
# The range of free ports. A cluster keeps its ports, so they must not be ephemeral ports (from
# 32768 on, net.ipv4.ip_local_port_range), which may be in use at its next start, nor node ports of
# Services (from 30000 on).
FREE = range(20_000, 30_000)


def claim(ports: Mapping[str, int]) -> dict[str, int]:
    """Replace each port 0 by a free port.

    Raises:
        UsageError: A port is invalid, or two are the same.
        PrerequisiteError: A port is in use.
    """
    chosen = [port for port in ports.values() if port]
    if len(set(chosen)) != len(chosen) or any(not 0 <= port <= HIGHEST_PORT for port in chosen):
        raise UsageError(
            f"The ports {dict(ports)} can't be used.",
            f"Use a different number for each, up to {HIGHEST_PORT}; 0 selects a free port.",
        )
    with contextlib.ExitStack() as stack:
        return {name: _claim(stack, name, port) for name, port in ports.items()}


def _claim(stack: contextlib.ExitStack, name: str, port: int) -> int:
    """Bind the port, or any, briefly; all are bound at once, so that none is chosen twice."""
    for candidate in [port] if port else random.sample(FREE, len(FREE)):
        try:
            stack.callback(_bound(candidate).close)
        except OSError as error:
            reason = error.strerror
        else:
            return candidate
    what = f"Port {port}" if port else f"Each port from {FREE[0]} to {FREE[-1]}"
    raise PrerequisiteError(
        f"{what} of {LOCALHOST}, for the cluster's {name}, is in use or unavailable: {reason}.",
        f"Choose another with --port {name}=NUMBER; {name}=0 selects a free port.",
    )


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOCALHOST, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


@dataclass(frozen=True)
class Target:
    """Where to forward to: an address and port, and the sockets that reach them."""

    host: str
    port: int
    create_socket: SocketFactory


def most_connections(ports: int, descriptors: int) -> int:
    """How many connections each of some ports may have, so that half of the descriptors are free.

    Without free descriptors, the supervisor could start no component.
    """
    return min(MOST_CONNECTIONS, descriptors // (2 * DESCRIPTORS_EACH * max(ports, 1)))


async def listen(port: int, target: Target, most: int = MOST_CONNECTIONS) -> asyncio.Server:
    """Forward every connection to the port to the target, until the server is closed.

    Args:
        port: The port of 127.0.0.1.
        target: Where to forward to.
        most: The number of connections at a time; further ones are closed at once.
    """
    current = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal current
        if current >= most:
            writer.close()
            return
        current += 1
        try:
            with contextlib.suppress(OSError, TimeoutError):
                await _forward(reader, writer, target)
        finally:
            current -= 1
            writer.close()

    return await asyncio.start_server(serve, LOCALHOST, port)


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target
) -> None:
    async with asyncio.timeout(CONNECT_S):
        remote_reader, remote_writer = await _connect(target)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, remote_writer))
            group.create_task(_copy(remote_reader, writer))
    except* OSError:
        pass  # if one side closes, close the other
    finally:
        remote_writer.close()


async def _connect(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the target with retries, which are safe since nothing has been sent yet."""
    for attempts_remaining in range(CONNECT_ATTEMPTS, 0, -1):
        try:
            async with asyncio.timeout(ATTEMPT_S):
                return await _connect_once(target)
        except (OSError, TimeoutError):
            if attempts_remaining == 1:
                raise
        await asyncio.sleep(ATTEMPT_PAUSE_S)
    raise AssertionError("there is at least one attempt")


async def _connect_once(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = await target.create_socket()
    try:
        connection.setblocking(False)
        # Without it, the second part of a request waits 40 ms for the acknowledgement of the first.
        # asyncio sets it only on sockets that were created with the number of the protocol.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, (target.host, target.port))
        return await asyncio.open_connection(sock=connection)
    except BaseException:
        connection.close()
        raise


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end and forward it; the other direction may continue to send."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
