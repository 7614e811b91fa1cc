"""Starts an embedded cluster. The caller holds the cluster's lock."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.components import (
    account_tokens,
    addons,
    certificates,
    config_files,
    containerd_config,
)
from vrooli.cluster.embedded.components.catalog import PROGRAMS
from vrooli.cluster.embedded.host import cgroups, foreign_processes, freezer
from vrooli.cluster.embedded.host.inspection import Host, load_modules, probe, require
from vrooli.cluster.embedded.images import archives, templates
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import cleanup, pause, readiness, stop
from vrooli.cluster.embedded.locks import alone, holder
from vrooli.cluster.embedded.network import forwarder, namespace
from vrooli.cluster.embedded.settings import (
    DEFAULT_HOST_CIDR,
    DEFAULT_PORTS,
    INSIDE,
    UNASSIGNED,
    AddonImages,
    Record,
    Settings,
)
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.errors import CommandError, PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.process import run
from vrooli.steps import Done, first_error
from vrooli.trust import create_trusted, require_trusted

# Timeout of creating the namespaces on a slow machine, seconds; it usually takes less than one.
PREPARE_S = 30.0
# Held while a cluster selects free ports and addresses on the machine and starts to use them.
START_LOCK = Path("/run/vrooli-cluster-start.lock")


async def ensure_running(
    layout: Layout,
    settings: Settings,
    programs: Mapping[str, Path],
    images: AddonImages,
    progress: Progress,
) -> Done:
    """Make the cluster run with its add-ons; changes nothing when it does."""
    existing = Record.read(layout.record)
    for program in programs.values():
        require_trusted(program)
    record = merge_record(existing, settings, programs, images)
    if existing is not None and freezer.is_frozen(layout.identity):
        await pause.resume(layout, existing, progress)
    if record == existing and await _is_healthy(layout, record):
        loaded = await archives.load(layout, record, images.archive)
        return Done(bool(loaded), f"{layout.name} runs")
    await load_modules()
    host = probe(layout.root)
    require(host)
    if record != existing or holder(layout.supervisor_lock) is None:
        await stop.stop(layout, progress)
        foreign_processes.refuse_foreign_processes(layout)
        forwarder.claim(record.ports)  # before anything is created; they are claimed again below
        snapshotter = containerd_config.snapshotter(host)
        await templates.provide(layout, record, images.archive, snapshotter, progress)
        progress.report("Starting the control plane")
        async with alone(START_LOCK):
            record = await _assign_addresses(layout, record)
            await _start(layout, record, host)
    kept_tokens = await _become_ready(layout, record, images, progress)
    report = Report.read(layout.status)
    missing_features = report.missing_features() if report else []
    return Done(True, "; ".join([f"{layout.name} is ready", *missing_features, *kept_tokens]))


def merge_record(
    existing: Record | None, settings: Settings, programs: Mapping[str, Path], images: AddonImages
) -> Record:
    """The desired record: the given settings, else the saved ones, else the defaults."""
    current_ports = existing.ports if existing else DEFAULT_PORTS
    ports = {name: settings.ports.get(name, current_ports[name]) for name in DEFAULT_PORTS}
    if existing:  # any free port: keep the one that was selected before
        ports = {name: port or existing.ports[name] for name, port in ports.items()}
    return Record(
        index=existing.index if existing else UNASSIGNED,
        host_cidr=settings.host_cidr or (existing.host_cidr if existing else DEFAULT_HOST_CIDR),
        ports=ports,
        durable=settings.durable,
        programs={name: str(programs[name]) for name in PROGRAMS},
        images={name: str(value) for name, value in asdict(images).items() if name != "archive"},
        inside=INSIDE,
        node=existing.node if existing else "",
        volumes=existing.volumes if existing else "",
    )


async def _assign_addresses(layout: Layout, record: Record) -> Record:
    """The record with free ports and addresses; saved before they are used."""
    ports = forwarder.claim(record.ports)
    preferred = None if record.index == UNASSIGNED else record.index
    host_link = namespace.choose_link(
        record.host_cidr, await namespace.fetch_used_networks(), preferred
    )
    assigned = replace(record, ports=ports, index=host_link.index)
    create_trusted(layout.root, 0o700)
    assigned.write(layout.record)
    return assigned


def create_folders(layout: Layout) -> None:
    """Create the cluster's folders, for root only."""
    for folder in (layout.logs, layout.run, layout.storage, layout.etcd, layout.config):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _start(layout: Layout, record: Record, host: Host) -> None:
    create_folders(layout)
    certificates.ensure(layout.pki, record.node_name(layout), record.host_link)
    config_files.write_all(layout, record, host)
    cgroups.create(host, layout.identity)
    # -P: modules are not searched in the current directory, where others may have put some.
    python = [sys.executable, "-P", "-m"]
    daemon = [*python, "vrooli.cluster.embedded.supervisor.daemon", str(layout.root)]
    try:
        await run(
            ["unshare", "--mount", "--propagation", "slave", "--", *daemon], timeout_s=PREPARE_S
        )
    except CommandError as error:
        await cleanup.clear(layout, host)
        raise PrerequisiteError(
            f"The cluster {layout.name} can't be started: {error.output.strip()}",
            f"For details see the supervisor's log: {layout.log('supervisor')}",
        ) from error


async def _become_ready(
    layout: Layout, record: Record, images: AddonImages, progress: Progress
) -> list[str]:
    """Load the images while the API server starts, then apply the add-ons and wait for them.

    Returns:
        The Secrets with tokens of another cluster that could not be renewed, as text.
    """
    loaded, kept_tokens = asyncio.Event(), list[str]()

    async def load() -> None:
        await readiness.wait(layout, "containerd")
        await archives.load(layout, record, images.archive)
        loaded.set()

    async def install() -> None:
        await readiness.wait(layout, "kube-apiserver")
        progress.report("The API server is up; applying the add-ons")
        async with await Kube.connect(layout.kubeconfig) as kube:
            kept_tokens.extend(await account_tokens.renew(kube, layout.pki))
        await addons.apply(layout, record, loaded)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(load())
            group.create_task(install())
    except* VrooliError as errors:
        raise first_error(errors) from errors
    progress.report("Waiting for the node and the add-ons")
    await readiness.wait(layout)
    await readiness.wait_for_fresh_pods(layout, record)
    await addons.wait(layout, record, progress)
    return kept_tokens


async def _is_healthy(layout: Layout, record: Record) -> bool:
    """Whether all components run and the add-ons are up to date."""
    report = Report.read(layout.status)
    if report is None or holder(layout.supervisor_lock) is None or not report.ready():
        return False
    api = Api(layout, record)
    return await api.answers("/readyz") and await addons.is_current(layout, record, api)
