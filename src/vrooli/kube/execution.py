"""Programs in containers: their input, both outputs and exit code."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import httpx_ws  # kr8s' own way to talk to pods, whose errors it passes on
import kr8s

from vrooli import shell
from vrooli.errors import VrooliError
from vrooli.kube.api_errors import ApiError, ConnectionLostError
from vrooli.kube.objects import items, text
from vrooli.steps import first_error

# The protocols of exec, the preferred one first. Only version 5 can close the input, and servers
# have it since Kubernetes 1.30 (KEP-4006). A program must know its end by itself on older ones.
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
# The size of one message of the input, bytes; servers limit messages.
CHUNK = 32 * 1024
# The limit of the output of a program, bytes; a pod could otherwise fill the memory here.
MOST = 64 * 1024**2
# What ends a connection to a pod, or prevents it.
ENDS = (
    httpx_ws.HTTPXWSException,
    httpx.HTTPError,
    OSError,
    kr8s.ServerError,
    kr8s.APITimeoutError,
)
_ADVICE = (
    "Ask an administrator for permission to get and create pods/exec in namespace {namespace}. "
    "To check it: `kubectl auth can-i create pods --subresource=exec -n {namespace}`."
)


class StartError(VrooliError):
    """A program was not started, for example because its container does not contain it."""


@dataclass(frozen=True)
class Program:
    """A program to run in a container.

    Attributes:
        namespace: The pod's namespace.
        pod: The pod.
        container: The container.
        argv: The program and its arguments, which everybody on the node can read.
        stdin: Its input, which may hold secrets.
    """

    namespace: str
    pod: str
    container: str
    argv: Sequence[str]
    stdin: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        """The program's name and its pod, as messages name them."""
        return f"{self.argv[0]} in pod {self.namespace}/{self.pod}"


@dataclass(frozen=True)
class Completed:
    """A program that has ended."""

    exit_code: int
    stdout: str
    stderr: str


async def run(api: kr8s.asyncio.Api, program: Program) -> Completed:
    """Run a program until it ends; it does not matter whether the pod is ready.

    Raises:
        ApiError: There is no such pod, or no permission to run programs in it.
        VrooliError: The connection broke off, or the program could not be started.
    """
    outputs, is_started = {STDOUT: bytearray(), STDERR: bytearray()}, False
    try:
        async with connected(api, program, stdin=bool(program.stdin)) as websocket:
            is_started = True
            await send_input(websocket, program.stdin)
            if program.stdin and websocket.subprotocol == PROTOCOLS[0]:
                await websocket.send_bytes(bytes([CLOSE, STDIN]))
            while True:
                channel, data = split(await websocket.receive_bytes())
                if channel == STATUS:
                    status = json.loads(data)
                    break
                if channel in outputs:
                    outputs[channel] += data
                    if sum(map(len, outputs.values())) > MOST:
                        break
    except* ENDS as errors:  # they come in the group of their connection's tasks
        error = connection_error(program, first_error(errors), is_started=is_started)
        raise error from errors
    # Not raised above: the connection would put it into a group of errors.
    if sum(map(len, outputs.values())) > MOST:
        raise VrooliError(f"The output of {program} is larger than {MOST} bytes.")
    stdout, stderr = (bytes(data).decode(errors="replace") for data in outputs.values())
    return Completed(parse_exit_code(program, status), stdout, stderr)


@asynccontextmanager
async def connected(
    api: kr8s.asyncio.Api, program: Program, *, stdin: bool, tty: bool = False
) -> AsyncIterator[httpx_ws.AsyncWebSocketSession]:
    """Start a program and connect to it; it ends with the block.

    Args:
        api: The cluster.
        program: The program.
        stdin: Whether it reads input.
        tty: Whether it gets a terminal, which has one output.
    """
    flags = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
    async with api.open_websocket(
        version="v1",
        url=f"pods/{program.pod}/exec",
        subprotocols=list(PROTOCOLS),
        namespace=program.namespace,
        params={
            "command": list(program.argv),
            "container": program.container,
            **{name: str(is_set).lower() for name, is_set in flags.items()},
        },
    ) as websocket:
        yield websocket


async def send_input(websocket: httpx_ws.AsyncWebSocketSession, data: bytes) -> None:
    """Write to the standard input of a program."""
    for start in range(0, len(data), CHUNK):
        await websocket.send_bytes(bytes([STDIN]) + data[start : start + CHUNK])


def split(message: bytes) -> tuple[int, bytes]:
    """The channel and the data of a message."""
    return message[0] if message else STDOUT, bytes(message[1:])


def end_reason(status: bytes) -> str:
    """The kubelet's words in the status that it sends last; empty for a success."""
    try:
        body = json.loads(status)
    except ValueError:
        return status.decode(errors="replace")
    return text(body, "message")


def parse_exit_code(program: Program, status: dict[str, object]) -> int:
    """The exit code in the status that the kubelet sends last.

    Raises:
        StartError: The program was not started.
    """
    if status.get("status") == "Success":
        return 0
    for cause in items(status, "details", "causes"):
        if text(cause, "reason") == "ExitCode":
            return int(text(cause, "message"))
    raise StartError(f"The program {program} could not be run: {text(status, 'message')}")


def connection_error(
    program: Program, error: BaseException, *, is_started: bool = True
) -> VrooliError:
    """The error of a connection that was refused, or broke off."""
    if not isinstance(error, httpx_ws.WebSocketUpgradeError):
        message = f"The connection to {program} broke off: {error!r}"
        return ConnectionLostError(message, is_started=is_started)
    response = error.response
    action = f"run {program}"
    refusal = ApiError(
        action, response.status_code, f"{response.status_code} {response.reason_phrase}"
    )
    if refusal.is_forbidden:
        namespace = shell.label(program.namespace)
        refusal.advice = shell.checked(_ADVICE.format(namespace=namespace))
    return refusal
