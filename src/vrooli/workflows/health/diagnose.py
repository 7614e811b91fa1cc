"""Why isn't a release healthy? Looks at everything once, and says the causes first."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path

from vrooli.diagnosis import catalog
from vrooli.diagnosis.bundle import archive as bundle_archive
from vrooli.diagnosis.bundle.archive import Contents
from vrooli.diagnosis.engine import examine
from vrooli.diagnosis.evidence.collection.collector import LIMIT_S
from vrooli.diagnosis.interface import Cause
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.events import Listener, Progress
from vrooli.findings import Verdict
from vrooli.release import Release
from vrooli.release.records import discovery
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.results.base import MissingView
from vrooli.workflows.results.findings import (
    CauseView,
    DiagnoseResult,
    FindingView,
    UnavailableView,
)


@dataclass(frozen=True)
class DiagnoseOptions:
    """The options of diagnose.

    Attributes:
        environment: The environment of the release.
        namespace: The release's namespace; None is the environment's.
        cluster: As ``--cluster`` takes it; None picks one.
        name: The release's name; None is the one of our chart in the given namespace, and
            otherwise the environment's.
        archive: Where the collected data is saved; None saves nothing.
        force: Whether an existing archive is replaced.
        limit_s: The timeout of the collection, seconds; it ends as soon as everything is read.
    """

    environment: Environment
    namespace: str | None = None
    cluster: str | None = None
    name: str | None = None
    archive: Path | None = None
    force: bool = False
    limit_s: float = LIMIT_S


async def diagnose(options: DiagnoseOptions, listener: Listener) -> DiagnoseResult:
    """Diagnose the release of an environment, or the one in a namespace.

    Raises:
        UsageError: The cluster's name is wrong, or the archive can't be written there.
        PrerequisiteError: The cluster doesn't run, or doesn't answer.
    """
    began = time.monotonic()
    archive = options.archive
    if archive is not None:
        bundle_archive.demand_place(archive, force=options.force)
    progress = Progress("diagnose", listener)
    progress.report("reading the release and its dependencies")
    async with access.connect(options.cluster) as reached:
        release = await _find_release(options, reached)
        contents = await examine(
            reached.kube,
            release,
            full=archive is not None,
            limit_s=options.limit_s,
            progress=progress,
        )
    if archive is not None:
        await asyncio.to_thread(bundle_archive.write, archive, contents)
    return result(release, contents, archive, time.monotonic() - began)


async def _find_release(options: DiagnoseOptions, reached: Access) -> Release:
    name, place = options.name, _place(options.environment, options.namespace)
    if name is None and options.namespace is not None:
        name = await discovery.find_only_release(reached.kube, options.namespace)
    return Release.of(replace(place, release=name or place.release), reached.cluster.kubeconfig)


def _place(environment: Environment, namespace: str | None) -> Environment:
    """The environment whose namespace that is; else the given one's release, elsewhere."""
    if namespace is None or namespace == environment.namespace:
        return environment
    matches = (item for item in ENVIRONMENTS.values() if item.namespace == namespace)
    return next(matches, replace(environment, namespace=namespace))


def result(
    release: Release, contents: Contents, archive: Path | None, elapsed_s: float
) -> DiagnoseResult:
    """What a look at a release gave, as results have it."""
    missing = contents.missing()
    verdict = Verdict.of(has_problems=bool(contents.diagnosis.causes), is_missing=bool(missing))
    return DiagnoseResult(
        ok=verdict is Verdict.HEALTHY,
        verdict=verdict,
        missing=tuple(
            MissingView(resource=item.resource, reason=item.reason, advice=item.advice)
            for item in missing
        ),
        release=release.name,
        namespace=release.namespace,
        causes=tuple(map(_cause, contents.diagnosis.causes)),
        unavailable=tuple(
            UnavailableView(resource=item.resource, reason=item.reason)
            for item in contents.unavailable()
        ),
        rule_count=len(catalog.ALL),
        elapsed_s=round(elapsed_s, 3),
        bundle=str(archive) if archive else None,
    )


def _cause(cause: Cause) -> CauseView:
    return CauseView(
        finding=FindingView.of(cause.finding),
        consequences=tuple(FindingView.of(item) for item in cause.consequences),
    )
