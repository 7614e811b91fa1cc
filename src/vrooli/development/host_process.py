"""Runs a service on this host, and starts it again when its sources change."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from watchfiles import awatch

from vrooli import process
from vrooli.development import listeners
from vrooli.development.host_services import HostService
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

    with TemporaryDirectory(prefix="vrooli-dev-") as state:
        async with asyncio.TaskGroup() as group:
            program = _Program(service, service.argv(node, state), environment, report, group)
            async for files in _changes(service.source_folders()):
                report(f"starting again after {len(files)} changed file{'s' * (len(files) > 1)}")
                await program.restart()


class _Program:
    """The program of a service."""

    def __init__(
        self,
        service: HostService,
        argv: list[str],
        environment: Mapping[str, str],
        report: Callable[[str], None],
        group: asyncio.TaskGroup,
    ) -> None:
        self._service, self._argv, self._environment = service, argv, environment
        self._report, self._group = report, group
        self._process: asyncio.subprocess.Process | None = None
        self._task = group.create_task(self._run())

    async def restart(self) -> None:
        """Start the service again."""
        if self._service.is_reloadable and not self._task.done() and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = self._group.create_task(self._run())

    async def _run(self) -> None:
        code = -signal.SIGHUP
        while code == -signal.SIGHUP:  # an edit came before the program handled the signal
            code = await process.follow(
                *(self._argv, self._report),
                env=self._environment,
                cwd=self._service.work_folder,
                grace_s=GRACE_S,
                on_start=self._note,
            )
        self._report(f"it ended with exit code {code}; it starts again with the next edit")

    def _note(self, running: asyncio.subprocess.Process) -> None:
        self._process = running


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
            _, writer = await listeners.connect(service.port)
            writer.close()
            return
        await asyncio.sleep(PAUSE_S)
