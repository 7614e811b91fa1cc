"""Runs a service on this host, and starts it again when its sources change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from watchfiles import awatch

from vrooli import process
from vrooli.development.host_services import HostService
from vrooli.development.tunnels import LOOPBACK
from vrooli.events import Listener, LogLine

# How long a process may finish its requests before the next one replaces it, seconds.
GRACE_S = 0.3
# Changes are collected until none follows within this time, milliseconds; at most so long.
STEP_MS, COLLECT_MS = 20, 200
PAUSE_S = 0.05


async def run(
    service: HostService, environment: Mapping[str, str], node: str, listener: Listener
) -> None:
    """Run a service until cancelled.

    Args:
        service: The service.
        environment: Its complete environment, which may hold secrets.
        node: The program Node.js.
        listener: Receives the lines of its log, and what happens to it.

    Raises:
        PrerequisiteError: Its program does not exist.
    """

    def report(text: str) -> None:
        listener(LogLine(service.name, text, service.name))

    changes = _changes(service.source_folders())
    while True:
        running = asyncio.create_task(
            process.follow(
                service.argv(node),
                report,
                env=environment,
                cwd=service.work_folder,
                grace_s=GRACE_S,
            )
        )
        edited = asyncio.ensure_future(anext(changes))
        try:
            await asyncio.wait([running, edited], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                report(
                    f"it ended with exit code {running.result()}; it starts again with the next "
                    "edit"
                )
            count = len(await edited)
        finally:
            running.cancel()
            edited.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        report(f"starting again after {count} changed file{'s' if count > 1 else ''}")


async def _changes(folders: list[Path]) -> AsyncIterator[set[object]]:
    """The changed files that belong together."""
    if not folders:
        await asyncio.get_running_loop().create_future()
    async for found in awatch(*folders, step=STEP_MS, debounce=COLLECT_MS):
        yield set(found)


async def wait_listening(service: HostService) -> None:
    """Wait until a service accepts connections, for as long as it takes."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(LOOPBACK, service.port)
            writer.close()
            return
        await asyncio.sleep(PAUSE_S)
