"""Wait for a rollout: until all objects are ready, or until a failure is certain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release.rollout import (
    context,
)
from vrooli.release.rollout.context import EPOCH
from vrooli.release.rollout.tracker import RolloutTracker
from vrooli.steps import Done, first_error

T = TypeVar("T")


async def until_ready(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    timeout_s: float = 600.0,
    *,
    since: datetime = EPOCH,
    rests: bool = False,
) -> Done:
    """Wait until every object of a release is ready, and show each on its way.

    Args:
        kube: The cluster.
        manifests: The release's objects, all of one namespace; hooks are shown, but don't count.
        progress: Told each change of what is still lacking.
        timeout_s: The limit, seconds.
        since: Hooks that ran before have had their turn.
        rests: Nothing was changed just before, so nothing that is ready is about to change.

    Raises:
        ReleaseFailedError: A pod is in a state that waiting doesn't mend.
        WaitTimeoutError: Not all were ready at the limit; says what each lacked.
    """
    manifests = tuple(manifests)
    rollout = RolloutTracker(kube, manifests, progress, since)
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
            await rollout.start(group)
            await rollout.judge(rests=rests)
            rollout.end()
    except TimeoutError:
        raise rollout.too_late(timeout_s) from None
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    waited = time.monotonic() - began
    message = f"{len(rollout.counted)} objects ready after {waited:.0f} s"
    return Done(rollout.has_waited, "; ".join([message, *map(str, rollout.unavailable)]))


async def run_unless_hooks_fail(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    doing: Coroutine[Any, Any, T],
) -> T:
    """What ``doing`` gives, unless one of the hooks that it runs can't succeed.

    Helm itself would wait for such a hook until its limit.

    Raises:
        ReleaseFailedError: A hook's pod is in a state that waiting doesn't mend.
    """
    hooks = context.hooks(manifests)
    if not hooks:
        return await doing
    # The databases tell whether a hook that fails has an excuse.
    needed = [item for item in manifests if item.kind in context.NEEDED]
    rollout = RolloutTracker(kube, (*hooks, *needed), progress, datetime.now(UTC))
    try:
        async with asyncio.TaskGroup() as group:
            await rollout.start(group)
            hook_watch = group.create_task(rollout.judge_hooks())
            done = group.create_task(doing)
            done.add_done_callback(lambda _: hook_watch.cancel())
            done.add_done_callback(lambda _: rollout.end())
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    return done.result()
