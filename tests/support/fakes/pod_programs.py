"""Programs in pods of the fake cluster, over the messages of Kubernetes' exec."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx_ws
import pytest

from support.fakes.cluster_failures import Outage
from vrooli.kube.execution import (
    CLOSE,
    RESIZE,
    STATUS,
    STDERR,
    STDIN,
    STDOUT,
    Completed,
    Program,
)

# Runs a program; a program that it does not know fails the test.
Handler = Callable[[Program], Completed]


class PodPrograms:
    """The containers in which programs can run. Any other container fails the test.

    Attributes:
        outage: Whether the API server is gone.
        lost: The next programs run to their end, but the API server is gone by then: for each, how
            many connections it refuses afterwards.
        handlers: What runs the programs of a container, by namespace, pod and container.
        ran: The programs so far, in order.
        refusal: The status with which the server refuses all programs; 0 accepts them.
        failure: Why no program can be started; empty if they can.
        protocol: The protocol that the server speaks.
        is_endless: Whether programs never end.
        terminals: The sizes of each program's terminal, in order; none without a terminal.
    """

    def __init__(self, outage: Outage | None = None) -> None:
        self.outage = outage or Outage()
        self.lost: list[int] = []
        self.handlers: dict[tuple[str, str, str], Handler] = {}
        self.ran: list[Program] = []
        self.refusal = 0
        self.failure = ""
        self.protocol = "v5.channel.k8s.io"
        self.is_endless = False
        self.terminals: list[list[dict[str, int]]] = []

    @asynccontextmanager
    async def connect(
        self,
        *,
        version: str,
        url: str,
        subprotocols: Sequence[str],
        namespace: str,
        params: Mapping[str, Any],
    ) -> AsyncIterator[_WebSocket]:
        """The connection of one program."""
        self.outage.demand_answer()
        _, pod, verb = url.split("/")
        assert (version, verb) == ("v1", "exec"), (version, url)
        assert self.protocol in subprotocols
        if self.refusal:
            raise httpx_ws.WebSocketUpgradeError(httpx.Response(self.refusal))
        place = (namespace, pod, params["container"])
        handler = self.handlers.get(place) or pytest.fail(f"no programs are expected in {place}")
        socket = _WebSocket(self, handler, Program(*place, params["command"]))
        socket.reads_input = params["stdin"] == "true"
        has_terminal = params.get("tty") == "true"
        assert not (has_terminal and params["stderr"] == "true"), "a terminal has one output"
        self.terminals.append([])
        socket.has_terminal = has_terminal
        yield socket


class _WebSocket:
    """The server's end of one connection; the program runs when its outputs are read."""

    def __init__(self, programs: PodPrograms, handler: Handler, program: Program) -> None:
        self.subprotocol = programs.protocol
        self.reads_input = self.has_terminal = False
        self._ended_input = asyncio.Event()
        self._programs, self._handler, self._program = programs, handler, program
        self._stdin = b""
        self._is_closed = False
        self._messages: list[bytes] | None = None

    async def send_bytes(self, data: bytes) -> None:
        if data[0] == RESIZE:
            assert self.has_terminal, "the program has no terminal"
            self._programs.terminals[-1].append(json.loads(data[1:]))
            return
        assert self.reads_input, "the program has no input"
        if data[0] == CLOSE:
            assert data[1:] == bytes([STDIN])
            assert self.subprotocol == "v5.channel.k8s.io", "only version 5 closes the input"
            self._is_closed = True
            self._ended_input.set()
        else:
            assert data[0] == STDIN, data
            assert not self._is_closed
            self._stdin += data[1:]

    async def receive_bytes(self, timeout: float | None = None) -> bytes:
        assert timeout is None
        if self._programs.is_endless:
            await asyncio.Event().wait()
        if self._messages is None:
            if self.reads_input and self.subprotocol == "v5.channel.k8s.io":
                await self._ended_input.wait()
            self._messages = self._run()
        return self._messages.pop(0)

    def _run(self) -> list[bytes]:
        program = self._program
        program = Program(
            program.namespace, program.pod, program.container, program.argv, self._stdin
        )
        self._programs.ran.append(program)
        ended = self._handler(program)
        if self._programs.lost:
            self._programs.outage.left = self._programs.lost.pop(0)
            raise httpx_ws.WebSocketNetworkError
        status: dict[str, Any] = {"status": "Success"}
        if self._programs.failure:
            status = {"status": "Failure", "message": self._programs.failure}
        elif ended.exit_code:
            cause = {"reason": "ExitCode", "message": str(ended.exit_code)}
            status = {"status": "Failure", "details": {"causes": [cause]}}
        outputs = ((STDOUT, ended.stdout), (STDERR, ended.stderr))
        messages = [bytes([channel]) + text.encode() for channel, text in outputs if text]
        return [*messages, bytes([STATUS]) + json.dumps(status).encode()]
