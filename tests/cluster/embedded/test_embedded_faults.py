"""Faults and wrong use of a running cluster are detected, reported and repaired.

Each test establishes the state that it needs, so the order does not matter.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from support.cluster import workload
from support.cluster.clusters import QUIET, Maker
from support.cluster.footprint import processes_of
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.components.catalog import STOP_ORDER
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import holder, locked
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.cluster.interface import ComponentStatus
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]
HEALED_S = 180


async def _component(cluster: EmbeddedCluster, name: str) -> ComponentStatus:
    status = await cluster.status()
    return next(part for part in status.components if part.name == name)


async def test_a_second_start_changes_nothing_and_waits_for_nothing(
    shared: EmbeddedCluster,
) -> None:
    durations = []
    for _ in range(3):
        began = time.monotonic()
        assert not (await shared.ensure_running(QUIET)).changed
        durations.append(time.monotonic() - began)
    # The shortest one, since other processes may delay the rest; bench measures a quiet machine.
    assert min(durations) < 5


@pytest.mark.parametrize(
    "name",
    [
        *("kubelet", "kube-apiserver", "etcd", "containerd"),
        *("kube-proxy", "kube-router", "kube-scheduler"),
    ],
)
async def test_a_killed_component_is_restarted(shared: EmbeddedCluster, name: str) -> None:
    before = await _component(shared, name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    deadline = time.monotonic() + HEALED_S
    while time.monotonic() < deadline:
        now = await _component(shared, name)
        if now.state == "running" and now.restarts == before.restarts + 1:
            break
        await asyncio.sleep(0.2)
    assert (now.state, now.restarts) == ("running", before.restarts + 1)
    assert now.pid != before.pid
    await shared.ensure_running(QUIET)
    assert (await shared.status()).state == "running"


async def test_pods_start_after_components_were_killed(shared: EmbeddedCluster) -> None:
    async with await Kube.connect(shared.kubeconfig) as kube:
        await workload.run_pod(kube, workload.pod("after-faults"))
        await kube.delete("v1", "Pod", "after-faults", "default")


async def test_a_second_concurrent_run_is_refused_with_the_process_id_of_the_first(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    with (
        locked(maker.layout("shared")),
        pytest.raises(PrerequisiteError, match=f"Process {os.getpid()}"),
    ):
        await shared.ensure_running(QUIET)


async def test_a_port_in_use_is_reported_and_no_files_remain(maker: Maker) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        cluster = maker.cluster("blocked", {"api": 0, "http": port, "https": 0})
        with pytest.raises(PrerequisiteError, match=f"Port {port}"):
            await cluster.ensure_running(QUIET)
    assert (await cluster.status()).state == "absent"
    assert not maker.layout("blocked").root.exists()


async def test_an_unknown_component_has_no_log(shared: EmbeddedCluster) -> None:
    with pytest.raises(UsageError, match="kubelets"):
        [line async for line in shared.logs("kubelets")]


async def test_images_cannot_be_loaded_into_a_cluster_that_does_not_run(maker: Maker) -> None:
    with pytest.raises(PrerequisiteError, match="no cluster absent"):
        await maker.cluster("absent").load_images(maker.archive, QUIET)


async def test_present_images_are_not_loaded_again(shared: EmbeddedCluster, maker: Maker) -> None:
    done = await shared.load_images(maker.archive, QUIET)
    assert not done.changed


async def test_a_killed_supervisor_is_restarted_and_the_pods_keep_running(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    layout = maker.layout("shared")
    watchdog = await _with_watchdog(shared, layout)
    async with await Kube.connect(shared.kubeconfig) as kube:
        await workload.run_pod(kube, workload.pod("bystander"))
        before, pod = _report(layout), await _started(kube, "bystander")
    os.kill(before.supervisor, signal.SIGKILL)

    async def is_restarted() -> bool:
        now = _report(layout)
        return now.supervisor != before.supervisor and now.phase == "running" and now.ready()

    assert await poll_until(is_restarted, HEALED_S)
    assert holder(layout.supervisor_lock) == watchdog
    for name, part in _report(layout).components.items():
        assert part.restarts == before.components[name].restarts + (part.state == "running")
    names = [_program(line.split()[0]) for line in processes_of(layout)]
    for name in STOP_ORDER:
        assert names.count(name) <= 1, name
    await shared.ensure_running(QUIET)
    assert (await shared.status()).state == "running"
    async with await Kube.connect(shared.kubeconfig) as kube:
        assert await _started(kube, "bystander") == pod
        await kube.delete("v1", "Pod", "bystander", "default")


async def test_a_supervisor_continues_without_its_watchdog(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    layout = maker.layout("shared")
    await _with_watchdog(shared, layout)
    await _without_watchdog(shared, layout)
    assert (await shared.status()).state == "running"


async def test_components_end_with_a_supervisor_that_has_no_watchdog(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    """The next start repairs the cluster."""
    layout = maker.layout("shared")
    await _without_watchdog(shared, layout)
    os.kill(_report(layout).supervisor, signal.SIGKILL)

    async def is_stopped() -> bool:
        return (await shared.status()).state == "stopped"

    assert await poll_until(is_stopped, HEALED_S)
    assert (await shared.ensure_running(QUIET)).changed
    assert (await shared.status()).state == "running"


async def _with_watchdog(cluster: EmbeddedCluster, layout: Layout) -> int:
    """Make the cluster run with a watchdog, whatever earlier tests did; returns its process id."""
    await cluster.ensure_running(QUIET)
    if holder(layout.supervisor_lock) == _report(layout).supervisor:
        await cluster.stop(QUIET)
        await cluster.ensure_running(QUIET)
    watchdog = holder(layout.supervisor_lock)
    assert watchdog is not None
    assert watchdog != _report(layout).supervisor
    return watchdog


async def _without_watchdog(cluster: EmbeddedCluster, layout: Layout) -> None:
    """Make the cluster run without a watchdog, whatever earlier tests did."""
    await cluster.ensure_running(QUIET)
    supervisor, watchdog = _report(layout).supervisor, holder(layout.supervisor_lock)
    assert watchdog is not None
    if watchdog == supervisor:
        return
    os.kill(watchdog, signal.SIGKILL)

    async def holds_lock() -> bool:
        return holder(layout.supervisor_lock) == supervisor

    assert await poll_until(holds_lock, HEALED_S)


def _report(layout: Layout) -> Report:
    report = Report.read(layout.status)
    assert report is not None
    return report


async def _started(kube: Kube, pod: str) -> str:
    body = await kube.get("v1", "Pod", pod, "default")
    assert body is not None
    (status,) = body["status"]["containerStatuses"]
    return str(status["state"]["running"]["startedAt"])


def _program(pid: str) -> str:
    try:
        return Path("/proc", pid, "exe").readlink().name
    except FileNotFoundError:  # it just ended
        return ""
