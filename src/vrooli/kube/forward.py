"""A local port that leads into a pod, and nothing left of it afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from kr8s.asyncio.objects import Pod
from kr8s.asyncio.portforward import PortForward


class Forward(PortForward):
    """kr8s's port-forward, on a port that the system gives, whose open connections end with it.

    kr8s draws a port on which nobody listens; a connection of this machine may have it all the
    same, or another port-forward take it first. It leaves open connections to the event loop,
    which cancels them at its end and, on Python 3.11, prints a traceback for each.
    """

    def __init__(self, pod: Pod, port: int) -> None:
        super().__init__(pod, remote_port=port, local_port="auto")

    def _find_available_port(self) -> int:
        return 0

    async def __aenter__(self, *arguments: Any) -> int:
        await super().__aenter__(*arguments)  # type: ignore[no-untyped-call]
        (server,) = self.servers
        self.local_port = server.sockets[0].getsockname()[1]
        return self.local_port

    async def _sync_sockets(self, reader: Any, writer: Any) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in a task
        self._tasks.append(task)
        with contextlib.suppress(asyncio.CancelledError):
            await super()._sync_sockets(reader, writer)

    async def __aexit__(self, *error: Any) -> Any:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return await super().__aexit__(*error)  # type: ignore[no-untyped-call]
