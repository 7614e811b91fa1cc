"""Wait for a rollout: until all objects are ready, or until a failure is certain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest, from_body
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators import Operator
from vrooli.operators.installation import install as installation
from vrooli.release.rollout import context
from vrooli.release.rollout.context import EPOCH
from vrooli.release.rollout.subject import RELEASE, Subject
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
    subject: Subject = RELEASE,
) -> Done:
    """Wait until every object of a release is ready, and report the progress of each.

    Args:
        kube: The cluster.
        manifests: The release's objects, all of one namespace; hooks are shown, but not awaited.
        progress: Receives each change of an object's state.
        timeout_s: The timeout, seconds.
        since: The start of the deploy; hooks from before are ignored.
        rests: Nothing was changed, so ready objects need not stay ready first.
        subject: What the objects are, for messages.

    Raises:
        ReleaseFailedError: A pod can't become ready by waiting.
        WaitTimeoutError: Not all were ready in time; the message says why.
    """
    manifests = tuple(manifests)
    rollout = RolloutTracker(kube, manifests, progress, since, subject)
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
    message = f"{counted(len(rollout.counted), 'object')} ready after {waited:.0f} s"
    return Done(rollout.has_waited, "; ".join([message, *map(str, rollout.unavailable)]))


async def until_operator_ready(operator: Operator, kube: Kube, progress: Progress) -> None:
    """Wait until an operator's Deployment is ready, or until a failure of its pods is certain.

    One that was installed here and is scaled to 0 pods is started.

    Raises:
        ReleaseFailedError: A pod can't become ready by waiting.
        WaitTimeoutError: It was not ready in time; the message says why.
        VrooliError: It is missing, or somebody else's and scaled to 0 pods.
    """
    deployment = await installation.find_started(operator, kube, progress)
    if deployment_unready_reason(deployment) is None:
        return
    namespace = deployment["metadata"]["namespace"]
    status = f"See `kubectl describe pods -n {namespace}`"
    subject = Subject(operator.title, status)
    manifest = from_body(deployment, namespace)
    await until_ready(kube, [manifest], progress, installation.READY_S, subject=subject)


async def run_unless_hooks_fail(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    doing: Coroutine[Any, Any, T],
) -> T:
    """Await a coroutine that runs hooks, and cancel it if a hook can't succeed.

    Helm itself would wait for such a hook until its timeout.

    Raises:
        ReleaseFailedError: A hook's pod can't succeed by waiting.
    """
    hooks = context.hooks(manifests)
    if not hooks:
        return await doing
    # A failing hook may depend on databases that are not ready.
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
