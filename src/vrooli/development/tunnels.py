"""Tunnels between this host and the pods of a release, through the Kubernetes API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vrooli.development import listeners
from vrooli.development.listeners import LOOPBACK
from vrooli.development.pod_programs.relay import SIZE, join
from vrooli.errors import VrooliError
from vrooli.kube import Kube, objects
from vrooli.kube.forward import Forward
from vrooli.kube.status import is_pod_ready

# Connections that wait for clients of a pod, each of which is replaced when it is used, and all of
# a pod at a time; more clients wait for the end of others.
SPARE, MOST = 4, 256
# The wait before a connection that ended is opened again, and between attempts to connect to a
# service that starts again, seconds; and how long the service may take.
RETRY_S, PAUSE_S, START_S = 1.0, 0.05, 20.0


@dataclass(frozen=True)
class Place:
    """A port of a pod."""

    namespace: str
    pod: str
    port: int


async def find_ready(kube: Kube, namespace: str, labels: str, port: int | str) -> Place | None:
    """A ready pod with some labels, and one of its ports by number or name; None if there is none.

    Raises:
        VrooliError: The pods can't be read.
    """
    for pod in await kube.list("v1", "Pod", namespace, labels):
        is_usable = is_pod_ready(pod) and not objects.is_deleted(pod)
        if is_usable and (number := objects.port_number(pod, port)):
            return Place(namespace, objects.name(pod), number)
    return None


async def find_behind(kube: Kube, namespace: str, service: str, port: int) -> Place | None:
    """A ready pod behind a port of a Service; None if there is none.

    Raises:
        VrooliError: The Service or its pods can't be read.
    """
    body = await kube.get("v1", "Service", service, namespace)
    selector = objects.mapping(body or {}, "spec", "selector")
    for item in objects.items(body or {}, "spec", "ports"):
        if item["port"] == port and selector:
            labels = objects.label_selector(selector)
            return await find_ready(kube, namespace, labels, item.get("targetPort", port))
    return None


class Tunnel:
    """A port of this host whose connections reach the pod that is right at that moment."""

    def __init__(self, kube: Kube, find: Callable[[], Awaitable[Place | None]]) -> None:
        self._kube, self._find = kube, find
        self._forwards: dict[Place, Forward] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a free port of the loopback interface; the value is its number."""
        server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in a task
        self._tasks.add(task)
        try:
            # A closed connection is what a client gets from a database that is down.
            with contextlib.suppress(VrooliError, OSError):
                if (place := await self._find()) is not None:
                    forward = await self._forward(place)
                    async with forward.connection() as ends:
                        await join((reader, writer), ends)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _forward(self, place: Place) -> Forward:
        if place not in self._forwards:
            self._forwards[place] = await self._kube.port_forward(
                place.namespace, place.pod, place.port
            )
        return self._forwards[place]


async def serve_clients(kube: Kube, relay: Place, port: int) -> None:
    """Join each client of a relay with a port of this host, until cancelled.

    The relay gives clients to whoever connects to it, so no port of this host leads there.

    Args:
        kube: The cluster.
        relay: The relay in a pod, and its port for the host's connections.
        port: The port of the service on this host.

    Raises:
        VrooliError: The pod does not exist.
    """
    forward = await kube.port_forward(relay.namespace, relay.pod, relay.port)
    async with asyncio.TaskGroup() as group:
        free, unused = asyncio.Semaphore(SPARE), asyncio.Semaphore(MOST)
        while True:
            await unused.acquire()
            await free.acquire()
            task = group.create_task(_serve_client(forward, port, free))
            task.add_done_callback(lambda _: unused.release())


async def _serve_client(relay: Forward, port: int, free: asyncio.Semaphore) -> None:
    """Wait for one client, and join it with the service; another one is waited for meanwhile."""
    first = b""
    async with contextlib.AsyncExitStack() as exits:
        with contextlib.suppress(OSError):  # the way into the pod ended
            client = await exits.enter_async_context(relay.connection())
            first = await client[0].read(SIZE)
        if not first:
            await asyncio.sleep(RETRY_S)
        free.release()
        if first:
            # A closed connection is what a client gets from a service that is down.
            with contextlib.suppress(OSError, TimeoutError):
                service = await _connect(port)
                service[1].write(first)
                await join(client, service)


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the service, which may be starting again.

    Raises:
        OSError: It can't be reached.
        TimeoutError: It did not start in time.
    """
    async with asyncio.timeout(START_S):
        while True:
            try:
                return await listeners.connect(port)
            except ConnectionRefusedError:
                await asyncio.sleep(PAUSE_S)
