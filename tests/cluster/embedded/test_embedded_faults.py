"""Faults and wrong use of a cluster that runs: noticed, told, healed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from support import workload
from support.clusters import QUIET, Maker
from support.footprint import processes_of
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
HEALED_S = 60


async def _component(cluster: EmbeddedCluster, name: str) -> ComponentStatus:
    status = await cluster.status()
    return next(part for part in status.components if part.name == name)


async def test_a_second_start_changes_nothing_and_takes_less_than_a_second(
    shared: EmbeddedCluster,
) -> None:
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert not (await shared.ensure_running(QUIET)).changed
        took.append(time.monotonic() - began)
    assert min(took) < 1  # the best, since other work on the machine is no fault of ours


@pytest.mark.parametrize(
    "name",
    [
        *("kubelet", "kube-apiserver", "etcd", "containerd"),
        *("kube-proxy", "kube-router", "kube-scheduler"),
    ],
)
async def test_a_killed_component_is_started_again(shared: EmbeddedCluster, name: str) -> None:
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


async def test_pods_still_run_after_all_that(shared: EmbeddedCluster) -> None:
    async with await Kube.connect(shared.kubeconfig) as kube:
        await workload.run_pod(kube, workload.pod("after-faults"))
        await kube.delete("v1", "Pod", "after-faults", "default")


async def test_two_runs_at_once_are_refused_with_the_others_process(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    with (
        locked(maker.layout("shared")),
        pytest.raises(PrerequisiteError, match=f"Process {os.getpid()}"),
    ):
        await shared.ensure_running(QUIET)


async def test_a_port_in_use_is_named_and_nothing_is_left(maker: Maker) -> None:
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


async def test_images_that_are_there_are_not_loaded_again(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    done = await shared.load_images(maker.archive, QUIET)
    assert not done.changed


async def test_a_killed_supervisor_comes_back_by_itself_and_the_pods_run_on(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    layout = maker.layout("shared")
    await shared.ensure_running(QUIET)
    async with await Kube.connect(shared.kubeconfig) as kube:
        await workload.run_pod(kube, workload.pod("bystander"))
        before, pod = _report(layout), await _started(kube, "bystander")
    keeper = holder(layout.supervisor_lock)
    os.kill(before.supervisor, signal.SIGKILL)

    async def back() -> bool:
        now = _report(layout)
        return now.supervisor != before.supervisor and now.phase == "running" and now.ready()

    assert await poll_until(back, HEALED_S)
    assert holder(layout.supervisor_lock) == keeper
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


async def test_a_supervisor_goes_on_without_its_keeper(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    layout = maker.layout("shared")
    before, keeper = _report(layout), holder(layout.supervisor_lock)
    assert keeper is not None
    assert keeper != before.supervisor
    os.kill(keeper, signal.SIGKILL)

    async def signed() -> bool:
        return holder(layout.supervisor_lock) == before.supervisor

    assert await poll_until(signed, HEALED_S)
    assert (await shared.status()).state == "running"


async def test_a_supervisor_that_died_with_its_keeper_takes_the_components_along(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    """A start heals all."""
    layout = maker.layout("shared")
    assert holder(layout.supervisor_lock) == _report(layout).supervisor  # since the test before
    os.kill(_report(layout).supervisor, signal.SIGKILL)

    async def gone() -> bool:
        return (await shared.status()).state == "stopped"

    assert await poll_until(gone, HEALED_S)
    assert (await shared.ensure_running(QUIET)).changed
    assert (await shared.status()).state == "running"


def _report(layout: Layout) -> Report:
    report = Report.read(layout.status)
    assert report is not None
    return report


async def _started(kube: Kube, pod: str) -> str:
    found = await kube.get("v1", "Pod", pod, "default")
    assert found is not None
    (status,) = found["status"]["containerStatuses"]
    return str(status["state"]["running"]["startedAt"])


def _program(pid: str) -> str:
    try:
        return Path("/proc", pid, "exe").readlink().name
    except FileNotFoundError:  # it just ended
        return ""
