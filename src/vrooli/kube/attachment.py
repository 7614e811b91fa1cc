"""Programs in containers that are connected to a terminal, or to pipes, until they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import AbstractContextManager
from typing import Protocol

import httpx_ws  # kr8s' own way to talk to pods
import kr8s

from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.kube.execution import (
    CLOSE,
    ENDS,
    PROTOCOLS,
    RESIZE,
    STATUS,
    STDERR,
    STDIN,
    Program,
    connected,
    connection_error,
    parse_exit_code,
    send_input,
)
from vrooli.steps import first_error

# The time to connect to a pod and to start a program in it on a busy machine, seconds.
CONNECT_S = 30.0


class Streams(Protocol):
    """The caller's end of a program's input and outputs."""

    @property
    def is_terminal(self) -> bool:
        """Whether the program gets a terminal."""

    @property
    def has_input(self) -> bool:
        """Whether the program reads input from the caller."""

    def connected(self) -> AbstractContextManager[None]:
        """Prepare the terminal while the program runs, and restore it on every end."""

    async def read(self) -> bytes:
        """The next input; empty at its end."""

    def write(self, data: bytes, *, is_error: bool) -> None:
        """Write output of the program."""

    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal."""

    async def resized(self) -> None:
        """Wait until the size of the terminal changes."""


async def run(api: kr8s.asyncio.Api, program: Program, streams: Streams) -> int:
    """Run a program until it ends, and return its exit code.

    The program's own ``stdin``, if any, is its complete input.

    Raises:
        ApiError: There is no such pod, or no permission to run programs in it.
        StartError: The program could not be started.
        WaitTimeoutError: The connection was not established in time.
        VrooliError: The connection broke off.
    """
    limit = asyncio.timeout(CONNECT_S)
    try:
        async with (
            limit,
            connected(
                api,
                program,
                stdin=bool(program.stdin) or streams.has_input,
                tty=streams.is_terminal,
            ) as websocket,
        ):
            limit.reschedule(None)
            with streams.connected():
                return await _Connection(websocket, program, streams).run()
    except* ENDS as errors:  # they come in the group of their connection's tasks
        if limit.expired():
            raise WaitTimeoutError(
                f"Pod {program.namespace}/{program.pod} did not start {program.argv[0]} within "
                f"{CONNECT_S:.0f} s.",
                "Run `vrooli status` to see whether the cluster and the pod respond.",
            ) from errors
        raise connection_error(program, first_error(errors)) from errors
    except* VrooliError as errors:
        raise first_error(errors) from errors


class _Connection:
    """One running program and its streams."""

    def __init__(
        self, websocket: httpx_ws.AsyncWebSocketSession, program: Program, streams: Streams
    ) -> None:
        self._websocket, self._program, self._streams = websocket, program, streams

    async def run(self) -> int:
        """Pass input, outputs and sizes on until the program ends; returns its exit code."""
        output = asyncio.ensure_future(self._pass_output())
        tasks = [output, asyncio.ensure_future(self._pass_input())]
        if self._streams.is_terminal:
            tasks.append(asyncio.ensure_future(self._pass_sizes()))
        try:
            pending = set(tasks)
            while not output.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # an error of the input ends the program's connection
            return output.result() or 0
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_output(self) -> int:
        while True:
            message = bytes(await self._websocket.receive_bytes())
            channel, data = message[0] if message else STATUS + 1, message[1:]
            if channel == STATUS:
                return parse_exit_code(self._program, json.loads(data))
            if data:
                self._streams.write(data, is_error=channel == STDERR)

    async def _pass_input(self) -> None:
        await send_input(self._websocket, self._program.stdin)
        if not self._program.stdin and not self._streams.has_input:
            return
        if not self._program.stdin:
            while data := await self._streams.read():
                await self._send(STDIN, data)
        if self._websocket.subprotocol == PROTOCOLS[0]:
            await self._send(CLOSE, bytes([STDIN]))
        elif not self._program.stdin:
            raise VrooliError(
                f"The API server cannot end the input of {self._program}.",
                "Kubernetes 1.30 and later can. Give the command as an argument instead.",
            )

    async def _pass_sizes(self) -> None:
        while True:
            width, height = self._streams.size()
            await self._send(RESIZE, json.dumps({"Width": width, "Height": height}).encode())
            await self._streams.resized()

    async def _send(self, channel: int, data: bytes) -> None:
        await self._websocket.send_bytes(bytes([channel]) + data)
