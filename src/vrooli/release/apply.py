"""Put a release into the cluster: install or upgrade it, or see that nothing has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import helm_python

from vrooli import operators, project
from vrooli.chart import engine
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import changes, history, live, ownership
from vrooli.release.history import Note, Release
from vrooli.release.live import Bodies
from vrooli.steps import Done, first_error

# Helm doesn't wait for pods here: this is for its requests to the API server, seconds.
HELM_S = 120
# How old a revision in progress must be to be taken for left behind, seconds: without waiting for
# pods, Helm is through in a few.
LEFT_BEHIND_S = 15.0
# Revisions that Helm keeps, to roll back to.
HISTORY = 10
# Pod security standards (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
BASELINE, RESTRICTED = "baseline", "restricted"


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
    note: Note | None = None,
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

    Raises:
        UsageError: The chart refuses the values; nothing was touched.
        VrooliError: Helm could not.
    """
    chart = chart or project.chart_dir()
    if wanted is None:
        wanted = await asyncio.to_thread(
            engine.render, values, release=release.name, namespace=release.namespace, chart=chart
        )
    note, there, security = await _now(kube, release, wanted, note, progress)
    labelled = await _ensure_namespace(kube, release.namespace, security)
    if note is not None:
        if note.revision.status == "deployed":
            different = differences(wanted, note.manifests)
            missing = {key for key, body in there.items() if body is None}
            different += sorted(missing.difference(different))
            if not different:
                number = note.revision.number
                return Applied(labelled, f"revision {number} is what is wanted", number)
            progress.say(f"changes {_some(different)}")
        await ownership.take_over(kube, wanted, there, progress)
    made = await _act(release, chart, values, exists=note is not None)
    number, many = int(made["revision"]), len(wanted)
    return Applied(True, f"revision {number} of {many} objects, pod security {security}", number)


async def _now(
    kube: Kube,
    release: Release,
    wanted: Iterable[Manifest],
    read: Note | None,
    progress: Progress,
) -> tuple[Note | None, Bodies, str]:
    """Helm's note, the objects as they are, and what their pods are within."""
    try:
        async with asyncio.TaskGroup() as group:
            note = group.create_task(_settled(kube, release, read, progress))
            there = group.create_task(live.bodies(kube, wanted))
            security = group.create_task(_security(kube, wanted))
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    return note.result(), there.result(), security.result()


def differences(wanted: Iterable[Manifest], noted: Iterable[Manifest]) -> list[str]:
    """The objects that were added, changed or removed, by kind and name."""
    return [change.key for change in changes.changes(wanted, noted)]


async def _settled(
    kube: Kube, release: Release, read: Note | None, progress: Progress
) -> Note | None:
    """Helm's note of the newest revision that it has ended; what a killed one left is cleared away.

    Only Helm's note goes: the objects it made stay, and are taken over by the next try.
    """
    said = False
    note = read or await history.newest(release)
    while note is not None and note.revision.is_pending:
        found = note.revision
        age_s = (datetime.now(UTC) - found.deployed_at).total_seconds()
        if age_s < LEFT_BEHIND_S:
            if not said:
                progress.say(f"waits for another Helm, which says {found.status}")
            said = True
            await asyncio.sleep(1.0)
        else:
            progress.say(f"clears revision {found.number} away, which was left as {found.status}")
            secret = f"sh.helm.release.v1.{release.name}.v{found.number}"
            await kube.delete("v1", "Secret", secret, release.namespace)
        note = await history.newest(release)
    return note


async def _security(kube: Kube, wanted: Iterable[Manifest]) -> str:
    """The strictest standard that every pod of the release is within."""
    if not any(item.kind == "PostgresCluster" for item in wanted):
        return RESTRICTED
    return RESTRICTED if await operators.POSTGRES.is_restricted(kube) else BASELINE


async def _ensure_namespace(kube: Kube, name: str, security: str) -> bool:
    levels = {"enforce": security, "warn": RESTRICTED}
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
    metadata = {"name": name, "labels": labels}
    return await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def _act(
    release: Release, chart: Path, values: Mapping[str, Any], *, exists: bool
) -> dict[str, Any]:
    cancel = helm_python.HelmContext()

    def act(helm: helm_python.Config) -> dict[str, Any]:
        if exists:
            return helm.upgrade(
                chart,
                release.name,
                dict(values),
                context=cancel,
                timeout=HELM_S,
                max_history=HISTORY,
                reset_values=True,
            )
        return helm.install(chart, release.name, dict(values), context=cancel, timeout=HELM_S)

    try:
        return await history.call(release, act, cancel)
    except helm_python.HelmError as error:
        raise history.failure(release, "upgrade" if exists else "install", error) from error


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
