"""Install or upgrade a release, or detect that it is up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python

from vrooli import project
from vrooli.chart import engine
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import ApiError, Kube
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

# The timeout of Helm's requests and hooks, seconds; Helm does not wait for pods here.
HELM_S = 600.0
# Helm deletes no revisions; ``records.retention`` does.
NO_LIMIT = 0
UNKNOWN_ORIGIN = Origin()


@dataclass(frozen=True)
class Applied(Done):
    """The result, with the release's current revision."""

    revision: int = 0


@dataclass(frozen=True)
class ApplyOptions:
    """How a release is applied, and what the caller already has of it.

    Attributes:
        chart: The chart, a folder or a package; None is the project's.
        desired: The rendered objects; None renders them.
        record: Helm's newest record; None fetches it.
        live: The objects in the cluster; None fetches them.
        limit_s: The timeout of Helm and of the hooks, seconds.
        origin: What the release is made of, for its history.
        preserve_added: Keep the fields that people added to its objects by hand.
        description: The description of the revision; None is Helm's.
    """

    chart: Path | None = None
    desired: Sequence[Manifest] | None = None
    record: ReleaseRecord | None = None
    live: Bodies | None = None
    limit_s: float = HELM_S
    origin: Origin = UNKNOWN_ORIGIN
    preserve_added: bool = False
    description: str | None = None


DEFAULT_OPTIONS = ApplyOptions()


async def ensure(
    kube: Kube,
    release: Release,
    values: Mapping[str, Any],
    progress: Progress,
    options: ApplyOptions = DEFAULT_OPTIONS,
) -> Applied:
    """Install or upgrade a release; does not wait until it is ready.

    Args:
        kube: The cluster.
        release: The release.
        values: The chart's values.
        progress: Receives what changes.
        options: How it is applied.

    Raises:
        UsageError: The chart rejects the values; nothing was changed.
        VrooliError: Helm failed.
    """
    chart = options.chart or project.chart_dir()
    desired = options.desired
    if desired is None:
        desired = await asyncio.to_thread(_render, release, values, chart)
    settled, live, security = await _fetch_state(kube, release, desired, options, progress)
    labelled = await _ensure_namespace(kube, release.namespace, security, progress)
    leftovers: list[str] = []
    if (record := settled.record) is None:
        leftovers = await uninstall.find_leftovers(kube, release, desired)
    elif await _is_up_to_date(kube, desired, settled, live, options, progress):
        number = record.revision.number
        return Applied(bool(labelled), f"revision {number} is up to date", number)
    else:
        await field_ownership.take_over(
            kube, desired, live, progress, preserve_added=options.preserve_added
        )
    number = await _run_helm(release, chart, values, record, options)
    await pending.delete_leftovers(kube, release, settled.leftovers, desired, progress)
    standard = "unchanged" if labelled is None else security
    detail = f"revision {number} of {counted(len(desired), 'object')}, pod security {standard}"
    return Applied(True, detail + uninstall.format_leftovers(leftovers), number)


def _render(release: Release, values: Mapping[str, Any], chart: Path) -> tuple[Manifest, ...]:
    return engine.render(values, release=release.name, namespace=release.namespace, chart=chart)


async def _fetch_state(
    kube: Kube,
    release: Release,
    desired: Iterable[Manifest],
    options: ApplyOptions,
    progress: Progress,
) -> tuple[Settled, Bodies, str]:
    """Fetch Helm's record, the live objects, and the pod security level."""
    try:
        async with asyncio.TaskGroup() as group:
            settled = group.create_task(pending.settle(kube, release, options.record, progress))
            live = None if options.live else group.create_task(live_objects.bodies(kube, desired))
            security = group.create_task(_security(kube, desired))
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    bodies = options.live or (live.result() if live else {})
    return settled.result(), bodies, security.result()


async def _is_up_to_date(
    kube: Kube,
    desired: Sequence[Manifest],
    settled: Settled,
    live: Bodies,
    options: ApplyOptions,
    progress: Progress,
) -> bool:
    """Whether Helm has nothing to do; report the objects that differ."""
    record = settled.record
    if record is None or record.revision.status != DEPLOYED or settled.leftovers:
        return False
    different = await _find_differences(
        kube, desired, record, live, preserve_added=options.preserve_added
    )
    if different:
        progress.report(f"changes {_format_names(different)}")
    return not different


async def _find_differences(
    kube: Kube,
    desired: Sequence[Manifest],
    record: ReleaseRecord,
    live: Bodies,
    *,
    preserve_added: bool,
) -> list[str]:
    """Find objects that differ from Helm's record, or were changed or deleted by hand since."""
    different = differences(desired, record.manifests)
    different += sorted(live_objects.missing(live).difference(different))
    return different or await field_ownership.changed(
        kube, desired, live, preserve_added=preserve_added
    )


def differences(desired: Iterable[Manifest], recorded: Iterable[Manifest]) -> list[str]:
    """The objects that were added, changed or removed, by kind and name."""
    return [change.key for change in diff.changes(desired, recorded)]


async def _security(kube: Kube, desired: Iterable[Manifest]) -> str:
    """The strictest pod security standard that all pods of the release meet."""
    for item in desired:
        if item.kind == "PostgresCluster":
            return await pod_security.of_databases(kube, item.namespace)
    return pod_security.RESTRICTED


async def _ensure_namespace(
    kube: Kube, name: str, security: str, progress: Progress
) -> bool | None:
    """Create or label the namespace; one that has the labels is not changed.

    Who may not label an existing namespace can deploy to it: the labels only enforce what the
    release's pods meet anyway.

    Returns:
        Whether it was changed; None if it may not be labelled.
    """
    existing = await pod_security.fetch_namespace(kube, name)
    if pod_security.has_security_labels(existing, security):
        return False
    metadata = {"name": name, "labels": pod_security.security_labels(security)}
    try:
        return await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    except ApiError as error:
        if existing is None or not error.is_forbidden:
            raise
        progress.report(f"namespace {name} keeps its pod security: {error.message}")
        return None


async def _run_helm(
    release: Release,
    chart: Path,
    values: Mapping[str, Any],
    record: ReleaseRecord | None,
    options: ApplyOptions,
) -> int:
    """Install the release, or upgrade it if it has a record; return the new revision."""
    cancel = helm_python.HelmContext()
    number = record.revision.number + 1 if record is not None else 1
    labels = {**pending.signature(), **metadata.build_labels(number, options.origin, author())}

    function = helm.INSTALL if record is None else helm.UPGRADE
    given: dict[str, Any] = {
        "timeout_seconds": round(options.limit_s),
        "description": options.description,
        "labels": labels,
    }
    if record is not None:
        given |= {"max_history": NO_LIMIT, "reset_values": True}

    def operate(config: helm_python.Config) -> dict[str, Any]:
        return helm.apply(function, config, cancel, chart, release.name, values, given)

    try:
        result = await helm.call(release, operate, cancel)
    except helm_python.HelmError as error:
        raise helm.failure(
            release, "upgrade" if record is not None else "install", error
        ) from error
    return int(result["revision"])


def _format_names(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
