"""A local port that leads into a pod, and nothing left of it afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from kr8s.asyncio.portforward import PortForward


class Forward(PortForward):
    """kr8s's port-forward, whose open connections end with it.

    kr8s leaves them to the event loop, which cancels them at its end and, on Python 3.11, prints
    a traceback for each.
    """

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
