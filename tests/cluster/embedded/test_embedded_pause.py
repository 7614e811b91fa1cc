"""A paused cluster uses no CPU and says so; a resumed one is ready in seconds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from support.cluster.clusters import QUIET, Maker
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]
PAUSE_S = 3.0


async def test_a_paused_cluster_uses_no_cpu_and_is_ready_again_after_resume(
    shared: EmbeddedCluster, maker: Maker
) -> None:
    layout = maker.layout(shared.name)
    assert (await shared.pause(QUIET)).changed
    try:
        assert (await shared.status()).state == "paused"
        assert not (await shared.pause(QUIET)).changed
        before = cpu_time(layout.identity, maker.state_dir)
        await asyncio.sleep(PAUSE_S)
        assert cpu_time(layout.identity, maker.state_dir) == before
    finally:
        began = time.monotonic()
        assert (await shared.resume(QUIET)).changed
    assert time.monotonic() - began < 30  # the kubelet renews its lease every 10 s
    assert (await shared.status()).state == "running"
    async with await Kube.connect(shared.kubeconfig) as kube:
        events = await kube.list("v1", "Event", "default")
    assert not [event for event in events if event["reason"] == "NodeNotReady"]


def cpu_time(name: str, state_dir: Path) -> str:
    """The CPU time of a cluster so far, as the kernel counts it."""
    host = probe(state_dir)
    if "cpuacct" in host.v1:
        return (host.v1["cpuacct"] / name / "cpuacct.usage").read_text()
    assert host.v2 is not None
    return (host.v2 / name / "cpu.stat").read_text().splitlines()[0]
