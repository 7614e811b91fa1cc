"""Snapshots of embedded clusters: make, list, restore, fork, delete."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from vrooli import project
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.cluster.embedded.snapshots.store import Snapshot
from vrooli.events import Listener, Progress
from vrooli.grammar import format_bytes
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import embedded
from vrooli.workflows.host.setup import Machine
from vrooli.workflows.results.clusters import (
    ClusterResult,
    SnapshotListResult,
    SnapshotResult,
    SnapshotView,
)
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


async def create(name: str, snapshot: str | None, listener: Listener) -> SnapshotResult:
    """Make a snapshot of a cluster; without a name, it is named after the time.

    Raises:
        UsageError: There is no such cluster, or the name is invalid or taken.
        PrerequisiteError: There is not enough space.
    """
    cluster, began = embedded.demand_existing(name), time.monotonic()
    chosen = snapshot or f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    created: list[Snapshot] = []

    async def make(progress: Progress) -> Done:
        created.append(await cluster.snapshots.create(chosen, progress))
        detail = f"{format_bytes(created[0].size_bytes)}, frozen for {created[0].frozen_s:.1f} s"
        return Done(True, f"{chosen}: {detail}")

    await run_steps([Step("snapshot", f"Snapshot of cluster {name}", make)], listener)
    elapsed_s = round(time.monotonic() - began, 3)
    return SnapshotResult(elapsed_s=elapsed_s, snapshot=_view(created[0]))


async def list_all(name: str, listener: Listener) -> SnapshotListResult:
    """The snapshots of a cluster, oldest first.

    Raises:
        UsageError: There is no such cluster.
    """
    del listener  # reads are quick
    return _listed(embedded.demand_existing(name), changed=False)


async def delete(
    name: str, snapshot: str, listener: Listener, consent: Consent = CONFIRMED
) -> SnapshotListResult:
    """Delete a snapshot.

    Raises:
        UsageError: There is no such snapshot, or the confirmation is missing.
        InterruptError: The user declined.
    """
    cluster = embedded.demand_existing(name)
    cluster.snapshots.find(snapshot)
    what = f"delete snapshot {snapshot} of cluster {name}"
    consent.demand(Action.DELETE_SNAPSHOT, None, what)

    async def remove(progress: Progress) -> Done:
        del progress
        return await cluster.snapshots.delete(snapshot)

    await run_steps([Step("delete", f"Delete snapshot {snapshot}", remove)], listener)
    return _listed(cluster, changed=True)


async def restore(
    name: str, snapshot: str, listener: Listener, consent: Consent = CONFIRMED
) -> ClusterResult:
    """Bring a cluster back to a snapshot; one that ran, or was paused, runs afterwards.

    If the restored cluster does not start, the former data come back.

    Raises:
        UsageError: There is no such snapshot, or the confirmation is missing.
        InterruptError: The user declined.
        PrerequisiteError: There is not enough space.
    """
    cluster, machine = embedded.demand_existing(name), Machine()
    point = cluster.snapshots.find(snapshot)
    moment = f"{point.created_at:%Y-%m-%d %H:%M:%S} UTC"
    what = f"discard all changes in cluster {name} since {moment}"
    consent.demand(Action.RESTORE_CLUSTER, None, what)
    runs = (await cluster.status()).state not in (embedded.STOPPED, embedded.DAMAGED)

    async def replace(progress: Progress) -> Done:
        return await cluster.snapshots.restore(snapshot, progress)

    async def start(progress: Progress) -> Done:
        try:
            restored = await machine.cluster(name, {}, progress)
            return await restored.ensure_running(progress)
        except BaseException:
            progress.report("Bringing the former data back")
            await cluster.snapshots.finish_restore(succeeded=False)
            raise

    before = machine.cluster_steps() if runs else []
    after = tuple(step.name for step in before)
    steps = [*before, Step("restore", f"Restore snapshot {snapshot}", replace, after)]
    if runs:
        steps.append(Step("cluster", f"Cluster {name}", start, ("restore",)))
    await run_steps(steps, listener)
    await cluster.snapshots.finish_restore(succeeded=True)
    view = await embedded.view(cluster)
    return ClusterResult(changed=True, detail=f"as it was at {moment}", cluster=view)


async def fork(
    name: str,
    new: str,
    listener: Listener,
    *,
    snapshot: str | None,
    ports: Mapping[str, int],
    start: bool,
) -> ClusterResult:
    """Make a second cluster from a cluster as it is now, or from a snapshot, and maybe start it.

    Raises:
        UsageError: There is no such cluster or snapshot, or the new name is invalid or taken.
        PrerequisiteError: There is not enough space, or a port is in use.
    """
    cluster, machine = embedded.demand_existing(name), Machine()
    forked = embedded.named(new)

    async def make(progress: Progress) -> Done:
        return await cluster.snapshots.fork(new, snapshot, ports, progress)

    async def run(progress: Progress) -> Done:
        return await (await machine.cluster(new, {}, progress)).ensure_running(progress)

    steps = [Step("fork", f"Fork cluster {name}", make)]
    if start:
        before = machine.cluster_steps()
        after = ("fork", *(step.name for step in before))
        steps += [*before, Step("cluster", f"Cluster {new}", run, after)]
    ended = await run_steps(steps, listener)
    view = await embedded.view(forked)
    return ClusterResult(changed=True, detail=ended[-1].detail, cluster=view)


def _listed(cluster: StoredCluster, *, changed: bool) -> SnapshotListResult:
    return SnapshotListResult(
        changed=changed,
        cluster=cluster.name,
        snapshots=tuple(map(_view, cluster.snapshots.list())),
        free_bytes=shutil.disk_usage(project.state_dir()).free,
    )


def _view(snapshot: Snapshot) -> SnapshotView:
    fields = asdict(snapshot) | {"created": snapshot.created_at}
    return SnapshotView(**fields)
