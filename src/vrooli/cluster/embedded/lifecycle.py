"""Starting, stopping and deleting an embedded cluster. Whoever calls holds the cluster's lock."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from vrooli.cluster.embedded import (
    addons,
    archives,
    certificates,
    cgroups,
    cleanup,
    configs,
    forwarder,
    logs,
    network,
    reports,
)
from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.host import Host, probe, require
from vrooli.cluster.embedded.reports import Report
from vrooli.cluster.embedded.settings import (
    DEFAULT_PORTS,
    AddonImages,
    Layout,
    Record,
    Settings,
)
from vrooli.cluster.interface import ClusterStatus
from vrooli.errors import CommandError, EnvironmentLackError, VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.process import run
from vrooli.steps import Done, first_error

# Limits for slow machines, seconds; about ten times what the 2-core reference machine takes.
PREPARE_S, READY_S, STOP_S = 30.0, 180.0, 90.0
PAUSE_S = 0.05


async def ensure_running(
    layout: Layout,
    settings: Settings,
    programs: Mapping[str, Path],
    images: AddonImages,
    progress: Progress,
) -> Done:
    """Make the cluster run with its add-ons; changes nothing when it does."""
    known = Record.read(layout.record)
    record = _chosen(known, settings, programs, images)
    if record == known and await _healthy(layout, record):
        return Done(False, f"{layout.name} runs")
    host = probe(layout.root)
    require(host)
    if reports.holder(layout.supervisor_lock) is None or record != known:
        await stop(layout, progress)
        record = await _placed(layout, record, known)
        await _start(layout, record, host, progress)
    await _become_ready(layout, record, images, progress)
    return Done(True, f"{layout.name} is ready")


def _chosen(
    known: Record | None, settings: Settings, programs: Mapping[str, Path], images: AddonImages
) -> Record:
    """The record that is wanted: what was asked for, else what was, else the defaults."""
    before = known.ports if known else DEFAULT_PORTS
    ports = {name: settings.ports.get(name, before[name]) for name in DEFAULT_PORTS}
    if known:
        ports = {name: port or known.ports[name] for name, port in ports.items()}
    return Record(
        index=known.index if known else -1,
        cables=settings.cables,
        ports=ports,
        durable=settings.durable,
        programs={name: str(path) for name, path in programs.items()},
        images={name: str(value) for name, value in asdict(images).items() if name != "archive"},
    )


async def _placed(layout: Layout, record: Record, known: Record | None) -> Record:
    """The record with ports and addresses that are free now; it is kept before they are used."""
    ports = forwarder.claim(record.ports)
    wanted = known.index if known else None
    cable = network.choose(record.cables, await network.taken(), wanted)
    placed = Record(**{**asdict(record), "ports": ports, "index": cable.index})
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    placed.write(layout.record)
    return placed


async def _start(layout: Layout, record: Record, host: Host, progress: Progress) -> None:
    progress.say("Starting the control plane")
    for folder in (layout.logs, layout.run, layout.storage, layout.etcd, layout.config):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificates.ensure(layout.pki, layout.node, record.cable)
    configs.write_all(layout, record, host)
    cgroups.create(host, layout.identity)
    daemon = [sys.executable, "-m", "vrooli.cluster.embedded.daemon", str(layout.root)]
    try:
        await run(
            ["unshare", "--mount", "--propagation", "slave", "--", *daemon], timeout_s=PREPARE_S
        )
    except CommandError as error:
        raise EnvironmentLackError(
            f"The cluster {layout.name} can't be started: {error.output.strip()}", error.advice
        ) from error


async def _become_ready(
    layout: Layout, record: Record, images: AddonImages, progress: Progress
) -> None:
    """Load the images while the API server comes up, then apply the add-ons and wait for them."""

    async def load() -> None:
        await _until(layout, "containerd")
        await archives.load(layout, record, images.archive)

    async def install() -> None:
        await _until(layout, "kube-apiserver")
        progress.say("The API server is ready")
        await addons.apply(layout, record)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(load())
            group.create_task(install())
    except* VrooliError as errors:
        raise first_error(errors) from errors
    progress.say("Waiting for the node and the add-ons")
    await _until(layout)
    await addons.wait(layout, progress)


async def _until(layout: Layout, *names: str) -> None:
    """Wait for components, all without names; ends early when the supervisor does."""

    def ready() -> bool:
        report = Report.read(layout.status)
        if reports.holder(layout.supervisor_lock) is None:
            detail = report.detail if report else ""
            raise EnvironmentLackError(
                f"The supervisor of {layout.name} ended. {detail}".strip(),
                f"Its log: {layout.log('supervisor')}",
            )
        return report is not None and report.ready(*names)

    try:
        await _poll(ready, READY_S)
    except TimeoutError:
        raise _not_ready(layout) from None


def _not_ready(layout: Layout) -> WaitTimeoutError:
    report = Report.read(layout.status)
    parts = report.components.values() if report else ()
    slow = [part for part in parts if part.state != reports.RUNNING]
    words = [f"{part.name} is {part.state} {part.detail}".strip() for part in slow]
    last = [f"{part.name}: {logs.last_line(layout.log(part.name))}" for part in slow[:1]]
    return WaitTimeoutError(
        f"The cluster {layout.name} is not ready after {READY_S:.0f} s: "
        + "; ".join([*words, *last]),
        f"Read its logs: `vrooli cluster logs {slow[0].name if slow else 'supervisor'}`.",
    )


async def _poll(true: Callable[[], bool], limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while not true():
            await asyncio.sleep(PAUSE_S)


async def _healthy(layout: Layout, record: Record) -> bool:
    """Whether everything runs and the add-ons are those that are wanted."""
    report = Report.read(layout.status)
    if report is None or reports.holder(layout.supervisor_lock) is None or not report.ready():
        return False
    api = Api(layout, record)
    return await api.answers("/readyz") and await addons.current(layout, record, api)


async def stop(layout: Layout, progress: Progress) -> Done:
    """End everything; the data stay."""
    host = probe(layout.root)
    supervisor = reports.holder(layout.supervisor_lock)
    if supervisor is not None:
        progress.say("Stopping the pods and the control plane")
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):  # what is left is killed below
            await _poll(lambda: reports.holder(layout.supervisor_lock) is None, STOP_S)
    killed = await cleanup.clear(layout, Record.read(layout.record), host)
    changed = supervisor is not None or killed > 0
    return Done(changed, f"{layout.name} is stopped")


async def delete(layout: Layout, progress: Progress) -> Done:
    """End everything, and remove all that the cluster ever made."""
    existed = layout.root.exists()
    await stop(layout, progress)
    progress.say("Removing its data")
    cleanup.delete_data(layout)
    layout.lock.unlink(missing_ok=True)
    return Done(existed, f"{layout.name} is deleted" if existed else "there was none")


def status(layout: Layout) -> ClusterStatus:
    """How the cluster is, without changing anything."""
    if not layout.record.exists():
        return ClusterStatus(layout.name, "embedded", "absent")
    report = Report.read(layout.status)
    if report is None or reports.holder(layout.supervisor_lock) is None:
        return ClusterStatus(layout.name, "embedded", "stopped")
    state = "running" if report.ready() else "degraded"
    components = tuple(report.components.values())
    return ClusterStatus(layout.name, "embedded", state, components=components)
