"""A port-forward to a pod that leaves no open connection behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import httpx_ws  # kr8s' own way to talk to pods, whose errors it passes on
import kr8s
from kr8s.asyncio.objects import Pod
from kr8s.asyncio.portforward import PortForward

from vrooli.kube.api_errors import ApiError

_LOG = logging.getLogger(__name__)
# How long a connection that has ended may take to send what was written, seconds.
SENDING_S = 10.0
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# What ends one connection: the pod goes away, the API server restarts, either end hangs up.
_ENDS = (
    *(httpx_ws.HTTPXWSException, httpx.HTTPError, OSError),
    *(kr8s.ConnectionClosedError, kr8s.ServerError, kr8s.APITimeoutError),
    *(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream),
    LookupError,  # kr8s reads the first byte of a frame that may be empty
)
# What a way into a pod needs: servers before 1.35 ask for the one, later ones for both. They don't
# say so in their answer.
_ADVICE = (
    "Ask for the rights to get and create pods/portforward in namespace {namespace}, or use "
    "another kubeconfig: `kubectl auth can-i create pods --subresource=portforward "
    "-n {namespace}` says whether they are there."
)


class Forward(PortForward):
    """kr8s's port-forward, on a port that the system gives, whose open connections end with it.

    kr8s draws a port on which nobody listens; a connection of this machine may have it all the
    same, or another port-forward take it first. It leaves open connections to the event loop,
    which cancels them at its end and, on Python 3.11, prints a traceback for each. It asks again
    without end where the API server refuses the way into the pod, and raises what ends a
    connection in a task that nobody awaits.
    """

    def __init__(self, pod: Pod, port: int) -> None:
        super().__init__(pod, remote_port=port, local_port="auto")
        self._refusal: ApiError | None = None

    def _find_available_port(self) -> int:
        return 0

    async def __aenter__(self, *arguments: Any) -> int:
        await super().__aenter__(*arguments)  # type: ignore[no-untyped-call]
        (server,) = self.servers
        self.local_port = server.sockets[0].getsockname()[1]
        return self.local_port

    @asynccontextmanager
    async def _connect_websocket(self) -> AsyncIterator[httpx_ws.AsyncWebSocketSession]:
        """The way into the pod, asked for once: whoever connects is told by a closed connection."""
        pod = self._resource
        assert pod.api is not None  # noqa: S101 - port_forward gives it
        async with pod.api.open_websocket(
            version=pod.version,
            url=f"{pod.endpoint}/{pod.name}/portforward",
            namespace=pod.namespace,
            params={"ports": str(self.remote_port)},
        ) as websocket:
            yield websocket

    async def _sync_sockets(self, reader: Any, writer: Any) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in a task
        self._tasks.append(task)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await super()._sync_sockets(reader, writer)
        except* _ENDS as errors:
            self._record(errors)
        finally:
            self._tasks.remove(task)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Ends]:
        """One connection into the pod, without a port that other users of this machine can use."""
        near, far = socket.socketpair()
        ends = await asyncio.open_connection(sock=near)
        task = asyncio.create_task(self._sync_sockets(*await asyncio.open_connection(sock=far)))
        try:
            yield ends
            ends[1].close()
            await asyncio.wait([task], timeout=SENDING_S)  # what was written reaches the pod
        finally:
            ends[1].close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _record(self, errors: BaseExceptionGroup[BaseException]) -> None:
        """Record why the API server refused the connection; other errors only end it."""
        refused: BaseException | None = errors.subgroup(httpx_ws.WebSocketUpgradeError)
        while isinstance(refused, BaseExceptionGroup):
            refused = refused.exceptions[0]
        if isinstance(refused, httpx_ws.WebSocketUpgradeError):
            status, phrase = refused.response.status_code, refused.response.reason_phrase
            action = f"forward port {self.remote_port} of pod {self._place}"
            self._refusal = ApiError(action, status, f"{status} {phrase}")
            if self._refusal.is_forbidden:
                self._refusal.advice = _ADVICE.format(namespace=self._resource.namespace)
        _LOG.debug("a connection into pod %s ended", self._place, exc_info=errors)

    @property
    def _place(self) -> str:
        return f"{self._resource.namespace}/{self._resource.name}"

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> Any:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        done = await super().__aexit__(kind, error, trace)  # type: ignore[no-untyped-call]
        if self._refusal is not None and isinstance(error, Exception):
            # What the client met with, a closed connection, tells less than why it was closed.
            raise self._refusal from error
        return done
