"""A program in a pod that reads standard input while it runs.

Source of the format: Kubernetes' websocket subprotocol v4.channel.k8s.io: the first byte of each
message is its channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx_ws  # kr8s' own way to talk to pods
import kr8s
from kr8s._exec import (
    ERROR_CHANNEL,
    EXEC_PROTOCOL,
    STDERR_CHANNEL,
    STDIN_CHANNEL,
    STDOUT_CHANNEL,
)

from vrooli.errors import VrooliError

# The size of a message to the API server, bytes; far below the limits of servers and proxies.
MESSAGE_BYTES = 32 * 1024
# The limit of output that is not read yet, bytes; a pod could otherwise fill the memory here.
MOST = 64 * 1024**2


class Session:
    """A running program in a pod."""

    def __init__(self, websocket: httpx_ws.AsyncWebSocketSession, place: str) -> None:
        self._websocket, self._place = websocket, place
        self._output = b""

    async def send(self, data: bytes) -> None:
        """Write to its standard input."""
        for start in range(0, len(data), MESSAGE_BYTES):
            part = data[start : start + MESSAGE_BYTES]
            await self._websocket.send_bytes(STDIN_CHANNEL.to_bytes() + part)

    async def line(self) -> str:
        """The next line of its standard output, without its end.

        Raises:
            VrooliError: It ended; the message has its standard error.
        """
        errors = b""
        while b"\n" not in self._output:
            message = await self._websocket.receive_bytes()
            channel, data = message[0], message[1:]
            if channel == STDOUT_CHANNEL:
                self._output += data
            elif channel == STDERR_CHANNEL:
                errors += data
            elif channel == ERROR_CHANNEL:
                tail = errors.decode(errors="replace").strip()
                raise VrooliError(f"A program in pod {self._place} ended. {tail}".rstrip())
            if len(self._output) + len(errors) > MOST:
                raise VrooliError(
                    f"A line of a program in pod {self._place} has over {MOST} bytes."
                )
        line, _, self._output = self._output.partition(b"\n")
        return line.decode(errors="replace")


@asynccontextmanager
async def open_session(
    api: kr8s.asyncio.Api, namespace: str, pod: str, container: str, argv: Sequence[str]
) -> AsyncIterator[Session]:
    """Start a program in a container of a pod; it ends with the block."""
    flags = dict.fromkeys(("stdin", "stdout", "stderr"), "true")
    async with api.open_websocket(
        version="v1",
        url=f"pods/{pod}/exec",
        namespace=namespace,
        subprotocols=(EXEC_PROTOCOL,),
        params={"command": list(argv), "container": container, **flags},
    ) as websocket:
        yield Session(websocket, f"{namespace}/{pod}")
