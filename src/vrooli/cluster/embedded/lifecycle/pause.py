"""Pauses a running cluster, and resumes it. The caller holds the cluster's lock."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from datetime import datetime

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.components import addons
from vrooli.cluster.embedded.host import cgroups, freezer
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.host.suspension import SHORTEST_S, Pause
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import readiness
from vrooli.cluster.embedded.locks import holder
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.status import has_condition
from vrooli.steps import Done

# The component that judges a node by the time since its last heartbeat. After a long pause it would
# report the node as not ready before the kubelet has sent the next one, and take all its pods out
# of their Services; a new process starts to count anew.
HEARTBEAT_MONITOR = "kube-controller-manager"


async def pause(layout: Layout, progress: Progress) -> Done:
    """Freeze all processes of the cluster; changes nothing if they are.

    Raises:
        PrerequisiteError: The cluster is not running, or the host has no freezer.
        VrooliError: A process did not freeze.
    """
    if holder(layout.supervisor_lock) is None:
        raise PrerequisiteError(
            f"The cluster {layout.name} is not running.",
            f"Start it: `vrooli cluster start {layout.name}`.",
        )
    freezing = freezer.demand(layout.identity)
    if freezing.is_frozen():
        return Done(False, f"{layout.name} is paused")
    progress.report("Freezing its processes")
    Pause(time.time()).write(layout.pause)
    await freezing.freeze()
    return Done(True, f"{layout.name} is paused; to continue: `vrooli resume {layout.name}`")


async def resume(layout: Layout, record: Record, progress: Progress) -> Done:
    """Let the processes of a paused cluster continue, and wait until it is ready again.

    Raises:
        PrerequisiteError: The cluster is not running, or its supervisor was killed meanwhile.
        WaitTimeoutError: The node or an add-on did not become ready again.
    """
    if not freezer.is_frozen(layout.identity):
        if holder(layout.supervisor_lock) is None:
            raise PrerequisiteError(
                f"The cluster {layout.name} is stopped, not paused.",
                f"Start it: `vrooli cluster start {layout.name}`.",
            )
        return Done(False, f"{layout.name} is not paused")
    paused = Pause.read(layout.pause)
    length_s = time.time() - paused.since if paused else SHORTEST_S
    if length_s >= SHORTEST_S:
        restart_heartbeat_monitor(layout)
    progress.report("Continuing its processes")
    thawed = time.time()
    cgroups.thaw(probe(layout.root), layout.identity)
    await _wait_for_heartbeat(layout, record, thawed)
    progress.report("Waiting for the node and the add-ons")
    await readiness.wait(layout)
    await addons.wait(layout, record, progress)
    return Done(True, f"{layout.name} runs again after {length_s:.0f} s")


def restart_heartbeat_monitor(layout: Layout) -> None:
    """Kill it before it continues; the supervisor starts it again."""
    report = Report.read(layout.status)
    part = report.components.get(HEARTBEAT_MONITOR) if report else None
    members = cgroups.members(probe(layout.root), layout.identity, cgroups.CONTROL)
    if part is not None and part.pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(part.pid, signal.SIGKILL)


async def _wait_for_heartbeat(layout: Layout, record: Record, since: float) -> None:
    """Wait until the kubelet has renewed the node's lease and the node is ready.

    Raises:
        PrerequisiteError: The supervisor has ended.
        WaitTimeoutError: The node is not ready.
    """
    api, node = Api(layout, record), record.node_name(layout)

    async def beats() -> bool:
        readiness.demand_supervisor(layout)
        lease = await api.read(
            f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"
        )
        renewed = str(lease.get("spec", {}).get("renewTime", ""))
        if not renewed or datetime.fromisoformat(renewed).timestamp() < since:
            return False
        return has_condition(await api.read(f"/api/v1/nodes/{node}"), "Ready")

    if not await poll_until(beats, readiness.READY_S):
        raise WaitTimeoutError(
            f"The node {node} is not ready {readiness.READY_S:.0f} s after it was resumed.",
            f"Read its log: `vrooli cluster logs kubelet --name {layout.name}`.",
        )
