"""Put a release into the cluster: install or upgrade it, or see that nothing has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import helm_python

from vrooli import project
from vrooli.chart import engine
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.operators import security as pod_security
from vrooli.release import helm, pending, uninstall
from vrooli.release.drift import diff, field_ownership, live_objects
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import DEPLOYED, Release
from vrooli.release.pending import Settled
from vrooli.release.records import metadata
from vrooli.release.records.author import author
from vrooli.release.records.metadata import Origin
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done, first_error

# Helm doesn't wait for pods here: this is for its requests to the API server and for hooks,
# seconds.
HELM_S = 600.0
# Helm deletes none by itself: see pruning.
NO_LIMIT = 0
UNKNOWN_ORIGIN = Origin()


@dataclass(frozen=True)
class Applied(Done):
    """What was done, and the revision that the release has now."""

    revision: int = 0


async def ensure(
    kube: Kube,
    release: Release,
    values: Mapping[str, Any],
    progress: Progress,
    *,
    chart: Path | None = None,
    wanted: Sequence[Manifest] | None = None,
    note: ReleaseRecord | None = None,
    there: Bodies | None = None,
    limit_s: float = HELM_S,
    origin: Origin = UNKNOWN_ORIGIN,
    keep_added: bool = False,
) -> Applied:
    """Make the release what the chart and the values say; doesn't wait until it is ready.

    Args:
        kube: The cluster.
        release: Which release.
        values: What the chart is rendered with.
        progress: Told what changes.
        chart: The chart, a folder or a package; None is the project's.
        wanted: The objects that these give, where they were rendered before.
        note: Helm's newest note of it, where that was read a moment ago.
        there: The objects as they are, where they were read a moment ago.
        limit_s: How long Helm and the hooks may take, seconds.
        origin: What it is made of, for the history.
        keep_added: Leave the fields that people added to its objects by hand.

    Raises:
        UsageError: The chart refuses the values; nothing was touched.
        VrooliError: Helm could not.
    """
    chart = chart or project.chart_dir()
    if wanted is None:
        wanted = await asyncio.to_thread(
            engine.render, values, release=release.name, namespace=release.namespace, chart=chart
        )
    settled, there, security = await _now(kube, release, wanted, note, there, progress)
    labelled = await _ensure_namespace(kube, release.namespace, security)
    note = settled.note
    if note is not None:
        if note.revision.status == DEPLOYED and not settled.left:
            different = await _different(kube, wanted, note, there, keep_added=keep_added)
            if not different:
                number = note.revision.number
                return Applied(labelled, f"revision {number} is what is wanted", number)
            progress.report(f"changes {_some(different)}")
        await field_ownership.take_over(kube, wanted, there, progress, keep_added=keep_added)
    left = await uninstall.left_behind(kube, release, wanted) if note is None else []
    number = note.revision.number + 1 if note is not None else 1
    labels = {**pending.signature(), **metadata.build_labels(number, origin, author())}
    made = await _act(release, chart, values, limit_s, labels, exists=note is not None)
    await pending.remove_left(kube, release, settled.left, wanted, progress)
    number, many = int(made["revision"]), len(wanted)
    said = f"revision {number} of {many} objects, pod security {security}"
    return Applied(True, said + uninstall.on_what_is_left(left), number)


async def _now(
    kube: Kube,
    release: Release,
    wanted: Iterable[Manifest],
    read: ReleaseRecord | None,
    seen: Bodies | None,
    progress: Progress,
) -> tuple[Settled, Bodies, str]:
    """Helm's note, the objects as they are, and what their pods are within."""
    try:
        async with asyncio.TaskGroup() as group:
            settled = group.create_task(pending.settle(kube, release, read, progress))
            there = None if seen else group.create_task(live_objects.bodies(kube, wanted))
            security = group.create_task(_security(kube, wanted))
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    bodies = seen or (there.result() if there else {})
    return settled.result(), bodies, security.result()


async def _different(
    kube: Kube, wanted: Sequence[Manifest], note: ReleaseRecord, there: Bodies, *, keep_added: bool
) -> list[str]:
    """What Helm noted otherwise, and what somebody deleted or changed by hand since."""
    different = differences(wanted, note.manifests)
    different += sorted(live_objects.missing(there).difference(different))
    return different or await field_ownership.changed(kube, wanted, there, keep_added=keep_added)


def differences(wanted: Iterable[Manifest], noted: Iterable[Manifest]) -> list[str]:
    """The objects that were added, changed or removed, by kind and name."""
    return [change.key for change in diff.changes(wanted, noted)]


async def _security(kube: Kube, wanted: Iterable[Manifest]) -> str:
    """The strictest standard that every pod of the release is within."""
    for item in wanted:
        if item.kind == "PostgresCluster":
            return await pod_security.of_databases(kube, item.namespace)
    return pod_security.RESTRICTED


async def _ensure_namespace(kube: Kube, name: str, security: str) -> bool:
    """Make or label the namespace; one that fits is left alone: not everyone may change it."""
    if pod_security.has_labels(await kube.get("v1", "Namespace", name), security):
        return False
    metadata = {"name": name, "labels": pod_security.labels(security)}
    return await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def _act(
    release: Release,
    chart: Path,
    values: Mapping[str, Any],
    limit_s: float,
    labels: Mapping[str, str],
    *,
    exists: bool,
) -> dict[str, Any]:
    cancel = helm_python.HelmContext()

    def act(helm: helm_python.Config) -> dict[str, Any]:
        put: Callable[..., dict[str, Any]] = helm.install
        if exists:
            put = partial(helm.upgrade, max_history=NO_LIMIT, reset_values=True)
        return put(
            chart,
            release.name,
            dict(values),
            context=cancel,
            timeout=round(limit_s),
            labels=dict(labels),
        )

    try:
        return await helm.call(release, act, cancel)
    except helm_python.HelmError as error:
        raise helm.failure(release, "upgrade" if exists else "install", error) from error


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
