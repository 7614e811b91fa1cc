"""The daemon of one cluster: starts its components, restarts them, and stops them in order.

Started by ``python -m vrooli.cluster.embedded.supervisor.daemon FOLDER`` in a mount namespace
of its own: all mounts of the cluster are made there and end with its last process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.components.catalog import STOP_ORDER, Component, components
from vrooli.cluster.embedded.host import suspension
from vrooli.cluster.embedded.host.suspension import Suspension, SuspensionDetector
from vrooli.cluster.embedded.images.containerd_client import end_containers
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network import forwarder
from vrooli.cluster.embedded.network.inside import SocketsInside
from vrooli.cluster.embedded.polling import accepts_connections, poll_until
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor import logs, node_events, root_ca
from vrooli.cluster.embedded.supervisor.backoff import RECOVERED_S, backoffs
from vrooli.cluster.embedded.supervisor.report import (
    FAILED,
    OFF,
    RUNNING,
    STARTING,
    STOPPED,
    WAITING,
    Report,
)
from vrooli.cluster.interface import ComponentStatus

READY_PAUSE_S = 0.1
# The name of the supervisor's own log.
SUPERVISOR = "supervisor"
ROTATE_S = 30.0
# How long the API server may take to accept an event after a suspension, seconds.
EVENT_S = 120.0


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the components: they reach each other directly, or not at all.

    Inside the cluster's network namespace there is no proxy to reach.
    """
    return {
        name: value for name, value in environment.items() if not name.lower().endswith("_proxy")
    }


def _complain(line: str) -> None:
    """Write to the supervisor's log; fails silently on a full disk."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class Supervisor:
    """Keeps the components of one cluster running."""

    def __init__(
        self,
        layout: Layout,
        record: Record,
        disabled: Mapping[str, str],
        *,
        previous: Report | None = None,
    ) -> None:
        """Prepare to start all components except the disabled ones.

        Args:
            layout: The cluster's paths.
            record: The cluster's saved settings.
            disabled: The components that are disabled, each with the reason.
            previous: The last report of a supervisor that was killed, if any.
        """
        self._layout = layout
        self._record = record
        self._api = Api(layout, record)
        self._root_ca = root_ca.Publisher(self._api, layout.pki / "ca.crt")
        self._components = {part.name: part for part in components(layout, record)}
        self._ready = {name: asyncio.Event() for name in self._components}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        states = {name: ComponentStatus(name, WAITING) for name in self._components}
        states |= {name: ComponentStatus(name, OFF, detail=why) for name, why in disabled.items()}
        first = Report(os.getpid(), "starting", time.time(), states)
        self._report = replace(previous, supervisor=os.getpid()) if previous else first

    @property
    def report(self) -> Report:
        """The current report about the components."""
        return self._report

    async def run(self, watchdog_pipe: int, on_watchdog_exit: Callable[[], None]) -> None:
        """Start all components, and restart them until a stop signal is received.

        Args:
            watchdog_pipe: The reading end of a pipe that closes when the watchdog ends.
            on_watchdog_exit: Called when the watchdog ends; the cluster continues.
        """
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def handle_watchdog_exit() -> None:
            loop.remove_reader(watchdog_pipe)
            on_watchdog_exit()

        loop.add_reader(watchdog_pipe, handle_watchdog_exit)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._publish()
        sockets = SocketsInside(self._layout.netns)
        servers = await self._forward_ports(sockets)
        for name, component in self._components.items():
            if self._report.components[name].state != OFF:
                self._tasks[name] = asyncio.create_task(self._run_component(component))
        others = [asyncio.create_task(work) for work in (self._rotate(), self._watch_clocks())]
        await stop.wait()
        for task in others:
            task.cancel()
        for server in servers:
            server.close()
        sockets.close()
        await self._stop()

    async def _forward_ports(self, sockets: SocketsInside) -> list[asyncio.Server]:
        host, inside = self._record.host_link.node_ip, self._record.inside
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = forwarder.most_connections(len(self._record.ports), descriptors)
        return [
            await forwarder.listen(port, forwarder.Target(host, inside[name], sockets.create), most)
            for name, port in self._record.ports.items()
        ]

    async def _run_component(self, component: Component) -> None:
        """Start a component, and restart it whenever it exits."""
        for name in component.after:
            await self._ready[name].wait()
        pauses = backoffs()
        while True:
            began = time.monotonic()
            try:
                ending = self._describe_exit(component, await self._run_once(component))
            except OSError as error:  # a full disk, or its program is missing
                ending = f"can't be started: {error}"
            if time.monotonic() - began > RECOVERED_S:
                pauses = backoffs()
            self._record_exit(component, ending)
            await asyncio.sleep(next(pauses))

    async def _run_once(self, component: Component) -> int:
        """Run a component to its end; returns its exit status."""
        process = await self._spawn(component)
        self._processes[component.name] = process
        self._set(component.name, STARTING, pid=process.pid)
        readiness = asyncio.create_task(self._mark_ready(component))
        try:
            return await process.wait()
        finally:
            readiness.cancel()

    async def _spawn(self, component: Component) -> asyncio.subprocess.Process:
        # Not vrooli.process.run: that waits for the end, and this one's is not awaited.
        path = os.pathsep.join([*map(str, component.folders), os.environ.get("PATH", os.defpath)])
        with self._layout.log(component.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *component.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**without_proxies(os.environ), "PATH": path, **component.environment},
                cwd=self._layout.run,
                start_new_session=True,
            )

    async def _mark_ready(self, component: Component) -> None:
        while not await self._is_ready(component):  # noqa: ASYNC110 - another process
            await asyncio.sleep(READY_PAUSE_S)
        problem = self._root_ca.problem if component.name == "kube-apiserver" else ""
        if problem:
            _complain(problem)
        self._set(component.name, RUNNING, detail=problem)
        self._ready[component.name].set()
        if self._report.phase == "starting" and self._report.ready():
            self._report = replace(self._report, phase="running")
            self._publish()

    async def _is_ready(self, component: Component) -> bool:
        if not component.ready:
            return True
        if Path(component.ready).is_relative_to(self._layout.root):
            return await accepts_connections(Path(component.ready))
        if not await self._api.answers(component.ready):
            return False
        if component.name != "kube-apiserver":
            return True
        return await self._root_ca.publish()

    def _describe_exit(self, component: Component, status: int) -> str:
        line = logs.last_line(self._layout.log(component.name))
        ending = f"by signal {-status}" if status < 0 else f"with status {status}"
        return f"ended {ending}: {line}".rstrip(": ")

    def _record_exit(self, component: Component, ending: str) -> None:
        current = self._report.components[component.name]
        self._set(component.name, FAILED, restarts=current.restarts + 1, detail=ending)

    def _set(
        self,
        name: str,
        state: str,
        *,
        pid: int | None = None,
        restarts: int | None = None,
        detail: str = "",
    ) -> None:
        current = self._report.components[name]
        alive = state in (STARTING, RUNNING)
        changed = ComponentStatus(
            name,
            state,
            pid=(pid or current.pid) if alive else None,
            restarts=current.restarts if restarts is None else restarts,
            detail=detail,
        )
        self._report = self._report.with_component(changed)
        self._publish()

    def _publish(self) -> None:
        """Write the report; an error such as a full disk must not stop the supervisor."""
        try:
            self._report.write(self._layout.status)
        except OSError as error:
            _complain(f"The status can't be written: {error}")

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_S)
            for name in (*self._components, SUPERVISOR):
                try:
                    logs.rotate(self._layout.log(name))
                except OSError as error:
                    _complain(f"The log of {name} can't be rotated: {error}")

    async def _watch_clocks(self) -> None:
        """Report each suspension, in the status and as an event of the node."""
        detector = SuspensionDetector()
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(suspension.INTERVAL_S)
                if (last := detector.check(suspension.INTERVAL_S)) is not None:
                    last = suspension.attributed(last, self._layout.pause)
                    _complain(last.describe())
                    self._report = replace(self._report, suspension=last)
                    self._publish()
                    group.create_task(self._record_event(last))

    async def _record_event(self, last: Suspension) -> None:
        event = node_events.suspended(self._record.node_name(self._layout), last)

        async def created() -> bool:
            return await self._api.create(node_events.PATH, event)

        if not await poll_until(created, EVENT_S):
            _complain("The API server did not accept the event of the suspension.")

    async def _stop(self) -> None:
        """Stop the components in order, and the containers after the kubelet."""
        self._report = replace(self._report, phase="stopping")
        for task in self._tasks.values():
            task.cancel()
        await self._end("kubelet")
        await end_containers(self._layout, self._record)
        for name in STOP_ORDER:
            await self._end(name)
        self._report = replace(self._report, phase="stopped")
        self._publish()

    async def _end(self, name: str) -> None:
        process = self._processes.get(name)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(self._components[name].grace_s):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._set(name, STOPPED)
