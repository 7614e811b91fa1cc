"""The embedded clusters of this machine: start, stop, status, logs, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from vrooli import project
from vrooli.cluster.embedded.cluster import StoredCluster, list_clusters
from vrooli.cluster.embedded.host import autostart as systemd
from vrooli.cluster.interface import Cluster
from vrooli.errors import UsageError
from vrooli.events import Listener, LogLine, Outcome, Progress
from vrooli.grammar import counted
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.host.setup import Machine
from vrooli.workflows.results.base import Result
from vrooli.workflows.results.clusters import (
    AutostartResult,
    ClusterListResult,
    ClusterResult,
    ClusterView,
    ComponentView,
    KubeconfigResult,
)
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent

ABSENT, DAMAGED, STOPPED, RUNNING = "absent", "damaged", "stopped", "running"
PAUSED = "paused"
# The state of a component that the host does not support; the cluster works without it.
OFF = "off"


async def start(name: str, listener: Listener, *, ports: Mapping[str, int]) -> ClusterResult:
    """Start a cluster with its dependencies; changes nothing if it runs."""
    cluster, machine = named(name), Machine()

    async def ensure(progress: Progress) -> Done:
        return await (await machine.cluster(name, ports, progress)).ensure_running(progress)

    before = machine.cluster_steps()
    last = Step("cluster", f"Cluster {name}", ensure, tuple(step.name for step in before))
    return await _act(cluster, [*before, last], listener)


async def stop(name: str, listener: Listener) -> ClusterResult:
    """Stop a cluster; its data stay."""
    cluster = demand_existing(name)
    return await _act(cluster, [Step("stop", f"Stop cluster {name}", cluster.stop)], listener)


async def pause(name: str, listener: Listener) -> ClusterResult:
    """Pause a running cluster; changes nothing if it is paused."""
    cluster = demand_existing(name)
    return await _act(cluster, [Step("pause", f"Pause cluster {name}", cluster.pause)], listener)


async def resume(name: str, listener: Listener) -> ClusterResult:
    """Resume a paused cluster and wait until it is ready; changes nothing if it is not paused."""
    cluster = demand_existing(name)
    return await _act(cluster, [Step("resume", f"Resume cluster {name}", cluster.resume)], listener)


async def delete(name: str, listener: Listener, consent: Consent = CONFIRMED) -> ClusterResult:
    """Stop a cluster and delete all its data; changes nothing if it does not exist.

    Raises:
        UsageError: The name can't be a cluster's, or the confirmation is missing.
        InterruptError: The user declined.
    """
    cluster = named(name)
    if (await cluster.status()).state != ABSENT:
        count = len(cluster.snapshots.list())
        snapshots = f" and its {counted(count, 'snapshot')}" if count else ""
        what = f"delete cluster {name} with all data in it{snapshots}"
        consent.demand(Action.DELETE_CLUSTER, None, what)
    return await _act(cluster, [Step("delete", f"Delete cluster {name}", cluster.delete)], listener)


async def status(name: str, listener: Listener) -> ClusterResult:
    """The status of a cluster."""
    del listener  # reads are quick
    status = await view(demand_existing(name))
    return ClusterResult(ok=status.state == RUNNING, changed=False, cluster=status)


async def list_all(listener: Listener) -> ClusterListResult:
    """Every embedded cluster of this user."""
    del listener
    clusters = list_clusters(project.state_dir())
    return ClusterListResult(clusters=tuple([await view(cluster) for cluster in clusters]))


async def autostart(name: str, listener: Listener, *, enable: bool | None) -> AutostartResult:
    """Enable or disable the start of a cluster with the host; None only reads.

    Raises:
        UsageError: There is no such cluster.
        PrerequisiteError: systemd doesn't run here, or we aren't root.
    """
    del listener
    cluster = demand_existing(name)
    changed = enable is not None and await cluster.start_with_host(enable=enable)
    unit = cluster.autostart_unit()
    return AutostartResult(
        changed=changed,
        name=name,
        available=systemd.is_available(),
        enabled=unit is not None,
        unit=str(unit) if unit else None,
    )


async def kubeconfig(name: str, listener: Listener, *, merge: bool) -> KubeconfigResult:
    """The path of a cluster's kubeconfig; ``merge`` adds its context to the user's."""
    del listener
    cluster = demand_existing(name)
    path = str(cluster.kubeconfig)
    if not merge:
        return KubeconfigResult(path=path)
    into = project.users_kubeconfig()
    context = cluster.merge_kubeconfig(into.resolve())  # a symbolic link is kept
    return KubeconfigResult(path=path, merged_into=str(into), context=context)


async def logs(name: str, component: str, listener: Listener, *, tail: int, follow: bool) -> Result:
    """Stream the last lines of a component's log and, with ``follow``, new ones.

    Raises:
        UsageError: There is no such cluster or component.
    """
    async for line in demand_existing(name).logs(component, tail=tail, follow=follow):
        listener(LogLine(component, line))
    return Result()


def named(name: str) -> StoredCluster:
    """The cluster of a name, which may not exist.

    Raises:
        UsageError: The name can't be a cluster's.
    """
    return StoredCluster(name, state_dir=project.state_dir())


def demand_existing(name: str) -> StoredCluster:
    """The existing cluster of a name.

    Raises:
        UsageError: There is none.
    """
    names = [cluster.name for cluster in list_clusters(project.state_dir())]
    if name not in names:
        existing = f"There are: {', '.join(names)}." if names else "There is none at all yet."
        raise UsageError(
            f"There is no embedded cluster {name!r}.",
            f"{existing} `vrooli cluster start {name}` makes it.",
        )
    return named(name)


async def view(cluster: Cluster | StoredCluster) -> ClusterView:
    """A cluster as a result model."""
    status = await cluster.status()
    return ClusterView(
        name=status.name,
        kind=status.kind,
        state=status.state,
        version=status.version,
        components=tuple(ComponentView(**asdict(part)) for part in status.components),
        detail=status.detail,
        urls=cluster.urls() if status.state not in (ABSENT, DAMAGED) else {},
    )


async def _act(cluster: StoredCluster, steps: list[Step], listener: Listener) -> ClusterResult:
    ended = await run_steps(steps, listener)
    return ClusterResult(
        changed=any(end.outcome is Outcome.CHANGED for end in ended),
        detail=ended[-1].detail,
        cluster=await view(cluster),
    )
