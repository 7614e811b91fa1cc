"""A program in a pod that reads standard input while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx_ws  # kr8s' own way to talk to pods
import kr8s

from vrooli.errors import VrooliError
from vrooli.kube import execution
from vrooli.kube.execution import MOST, STATUS, STDERR, STDOUT, Program


class Session:
    """A running program in a pod."""

    def __init__(self, websocket: httpx_ws.AsyncWebSocketSession, place: str) -> None:
        self._websocket, self._place = websocket, place
        self._output = b""

    async def send(self, data: bytes) -> None:
        """Write to its standard input."""
        await execution.send_input(self._websocket, data)

    async def line(self) -> str:
        """The next line of its standard output, without its end.

        Raises:
            VrooliError: It ended; the message has the kubelet's reason and its standard error.
        """
        errors = b""
        while b"\n" not in self._output:
            channel, data = execution.split(await self._websocket.receive_bytes())
            if channel == STDOUT:
                self._output += data
            elif channel == STDERR:
                errors += data
            elif channel == STATUS:
                reasons = [execution.end_reason(data), errors.decode(errors="replace")]
                detail = " ".join(reason.strip() for reason in reasons if reason.strip())
                raise VrooliError(f"A program in pod {self._place} ended. {detail}".rstrip())
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
    program = Program(namespace, pod, container, argv)
    async with execution.connected(api, program, stdin=True) as websocket:
        yield Session(websocket, f"{namespace}/{pod}")
