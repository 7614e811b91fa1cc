"""Attach to a release and follow it, whether or not a deploy is running."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from vrooli.environments import Environment
from vrooli.errors import VrooliError
from vrooli.events import Listener, Progress
from vrooli.release import Release
from vrooli.release.lease import Holder
from vrooli.release.rollout import attach
from vrooli.release.rollout.attach import AttachResult
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.results.status import LockView, ObjectView, ReleaseView, WatchResult

ABSENT = "absent"
# The default timeout, seconds: that of a deploy.
WATCH_S = 600.0


async def watch(
    environment: Environment,
    cluster: str | None,
    listener: Listener,
    timeout_s: float = WATCH_S,
) -> WatchResult:
    """Report each object's progress until the release is healthy or has failed.

    Raises:
        UsageError: The cluster's name is wrong.
        PrerequisiteError: The cluster doesn't run, or stopped responding.
    """
    began = time.monotonic()
    ends: list[AttachResult] = []
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)

        async def follow(progress: Progress) -> Done:
            end = await attach.attach(reached.kube, release, progress, timeout_s)
            ends.append(end)
            if end.problems:
                raise VrooliError("; ".join(end.problems))
            detail = "; ".join([attach.format_revision(end.revision), *map(str, end.unavailable)])
            return Done(changed=False, detail=detail)

        try:
            await run_steps([Step("watch", f"Release {release.name}", follow)], listener)
        except VrooliError:
            if not ends:  # otherwise the problems are the result
                raise
    (end,) = ends
    return _result(environment, release, end, time.monotonic() - began)


def _result(
    environment: Environment, release: Release, end: AttachResult, elapsed_s: float
) -> WatchResult:
    return WatchResult(
        ok=not end.problems,
        environment=environment.name,
        elapsed_s=round(elapsed_s, 3),
        release=_release(release, end),
        lock=_lock(end.holder),
        objects=tuple(
            ObjectView(object=line.object, state=line.state, detail=line.detail)
            for line in end.lines
        ),
        problems=end.problems,
    )


def _release(release: Release, end: AttachResult) -> ReleaseView:
    name, namespace, revision = release.name, release.namespace, end.revision
    if revision is None:
        return ReleaseView(name=name, namespace=namespace, status=ABSENT)
    return ReleaseView(
        name=name,
        namespace=namespace,
        status=revision.status,
        revision=revision.number,
        chart=revision.chart,
    )


def _lock(holder: Holder | None) -> LockView | None:
    if holder is None:
        return None
    return LockView(
        holder=holder.name,
        acquired_at=holder.since,
        renewed_at=holder.renewed,
        expired=holder.is_stale(datetime.now(UTC)),
    )
