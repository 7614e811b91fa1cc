"""Network policies in an embedded cluster, and in one on a host that can't enforce them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.cluster import workload
from support.cluster.clusters import QUIET, Maker
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.polling import poll_until
from vrooli.errors import VrooliError
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]

log = logging.getLogger(__name__)
CONNECT = "use IO::Socket::INET; exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 2)"
CLOSED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed"},
    "spec": {"podSelector": {"matchLabels": {"app": "guarded"}}, "policyTypes": ["Ingress"]},
}
NO_EGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "no-egress"},
    "spec": {"podSelector": {"matchLabels": {"group": "new"}}, "policyTypes": ["Egress"]},
}
# Connects as often as it can for so many seconds, or until the first success if it has a third
# argument; prints the seconds from its first instruction until the first and the last success, or
# zeros.
WINDOW = """
use IO::Socket::INET; use Time::HiRes qw(time sleep); my ($began, $first, $last) = (time, 0, 0);
while (time - $began < $ARGV[1]) {
    if (IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 0.3)) {
        $last = time - $began;
        $first ||= $last;
        last if $ARGV[2];
    }
    sleep 0.01;
}
print "$first $last\n";
"""
NEW_PODS = 3
# How long a new pod tries what is forbidden, and at most what is not, seconds.
FORBIDDEN_S, FREE_S = 2, 60
# A change is in force within a second; on a busy machine a few.
IN_FORCE_S = 120.0


@pytest.fixture
async def guarded(shared: EmbeddedCluster) -> AsyncIterator[Kube]:
    """A pod to guard, and another one that calls it."""
    async with await Kube.connect(shared.kubeconfig) as kube:
        for name in ("guarded", "caller"):
            await workload.run_pod(kube, workload.pod(name))
        yield kube
        for name in ("guarded", "caller"):
            await kube.delete("v1", "Pod", name, "default")
        for name in ("guarded", "caller"):
            assert await poll_until(partial(_is_absent, kube, name), 60)


async def _connects(kube: Kube) -> bool:
    pod = await kube.get("v1", "Pod", "guarded", "default")
    assert pod is not None
    address = f"{pod['status']['podIP']}:{workload.PORT}"
    try:
        await kube.exec("default", "caller", ["perl", "-e", CONNECT, address])
    except VrooliError:
        return False
    return True


async def _refused(kube: Kube) -> bool:
    return not await _connects(kube)


async def test_a_policy_closes_a_pod_to_others_but_not_to_its_probes(guarded: Kube) -> None:
    assert await _connects(guarded)
    await guarded.apply(CLOSED, namespace="default")
    assert await poll_until(partial(_refused, guarded), IN_FORCE_S)
    await asyncio.sleep(4)  # more than three probes that fail, and it isn't ready
    await workload.wait_for_pod(guarded, "guarded", 20)
    await guarded.delete("networking.k8s.io/v1", "NetworkPolicy", "closed", "default")
    assert await poll_until(partial(_connects, guarded), IN_FORCE_S)


async def test_a_new_pod_is_closed_until_its_rules_are_written(guarded: Kube) -> None:
    """kube-router writes the rules of a pod when its status has an address."""
    target = await guarded.get("v1", "Pod", "caller", "default")
    assert target is not None
    address = f"{target['status']['podIP']}:{workload.PORT}"
    await guarded.apply(NO_EGRESS, namespace="default")
    forbidden = [await _connections(guarded, f"new-{n}", "new", address) for n in range(NEW_PODS)]
    await guarded.delete("networking.k8s.io/v1", "NetworkPolicy", "no-egress", "default")
    assert forbidden == [(0.0, 0.0)] * NEW_PODS
    free = [await _connections(guarded, f"free-{n}", "free", address) for n in range(NEW_PODS)]
    log.info("closed for %s s", " s, ".join(f"{first:.2f}" for first, _ in sorted(free)))
    assert all(last > 0 for _, last in free)


async def _connections(kube: Kube, name: str, group: str, address: str) -> tuple[float, float]:
    """When a new pod of the group first and last reached another pod, seconds after its start."""
    pod = workload.pod(name)
    pod["metadata"]["labels"] = {"group": group}
    pod["spec"]["restartPolicy"] = "Never"
    container = pod["spec"]["containers"][0]
    del container["readinessProbe"]
    until = [str(FREE_S), "once"] if group == "free" else [str(FORBIDDEN_S)]
    container["command"] = ["perl", "-e", WINDOW, address, *until]
    container["resources"]["requests"] = {"cpu": "10m"}  # it fits beside the others
    await kube.apply(pod, namespace="default")
    await kube.wait_for("v1", "Pod", name, "default", _unless_succeeded, 180)
    (line,) = [line async for line in kube.logs("default", name)]
    await kube.delete("v1", "Pod", name, "default")
    first, last = map(float, line.split())
    return first, last


async def _is_absent(kube: Kube, name: str) -> bool:
    return await kube.get("v1", "Pod", name, "default") is None


def _unless_succeeded(pod: dict[str, Any] | None) -> str | None:
    phase = pod["status"].get("phase") if pod else "absent"
    return None if phase == "Succeeded" else str(phase)


async def test_a_host_that_cannot_enforce_policies_has_a_cluster_that_says_so(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lacks the program ipset here."""
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            link = tmp_path / program.name
            if program.is_file() and program.name != "ipset" and not link.exists():
                link.symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster = maker.cluster("open")
    done = await cluster.ensure_running(QUIET)
    status = await cluster.status()
    monkeypatch.undo()
    assert "network policies aren't enforced" in done.detail
    assert "ipset" in done.detail
    assert status.state == "running"
    assert [part.name for part in status.components if part.state == "off"] == ["kube-router"]
    await cluster.delete(QUIET)
