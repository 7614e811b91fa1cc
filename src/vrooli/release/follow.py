"""Follow a release until all of it is ready, or until it is clear that it won't be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import hiding, hopeless, readiness
from vrooli.release.hopeless import Trouble
from vrooli.release.readiness import RULES, Body, Seen
from vrooli.release.wake import RedisWaker
from vrooli.steps import Done, first_error

T = TypeVar("T")

# What is ready must stay so this long, seconds: a pod may pass one probe and fail the next.
STABLE_S = 1.0
# A hopeless state must last this long, seconds, so that an old pod's isn't taken for a new one's.
HOPELESS_S = 5.0
# How often it is looked at without any change, seconds: times pass, too.
TICK_S = 2.0
# Changes come in bursts; one look after each is enough, seconds.
BURST_S = 0.1
# Lines of a crashed container's log that its error shows.
LOG_LINES = 10


class ReleaseFailedError(VrooliError):
    """A release can't become ready as it is; the message says which pod stands in its way."""


async def until_ready(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    timeout_s: float = 600.0,
) -> Done:
    """Wait until every object of a release is ready.

    Args:
        kube: The cluster.
        manifests: The release's objects, all of one namespace; hooks don't count.
        progress: Told each change of what is still lacking.
        timeout_s: The limit, seconds.

    Raises:
        ReleaseFailedError: A pod is in a state that waiting doesn't mend.
        WaitTimeoutError: Not all were ready at the limit; says what each lacked.
    """
    wanted = [found for found in manifests if not found.is_hook and found.kind in RULES]
    follower = _Follower(kube, wanted, progress, wanted[0].namespace if wanted else "")
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
            watchers = [
                group.create_task(follower.watch(api_version, kind))
                for api_version, kind in follower.kinds
            ]
            await follower.judge()
            for watcher in watchers:
                watcher.cancel()
    except TimeoutError:
        raise follower.too_late(timeout_s) from None
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    waited = time.monotonic() - began
    return Done(follower.has_waited, f"{len(wanted)} objects ready after {waited:.0f} s")


async def unless_hopeless(kube: Kube, namespace: str, doing: Coroutine[Any, Any, T]) -> T:
    """What ``doing`` gives, unless a pod that was made meanwhile can't succeed: a hook's, say.

    Helm itself would wait for such a hook until its limit.

    Raises:
        ReleaseFailedError: A new pod is in a state that waiting doesn't mend.
    """
    began = datetime.now(UTC)
    follower = _Follower(kube, (), Progress(), namespace)

    async def look() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            pods = await kube.list("v1", "Pod", namespace)
            await follower.fail_if_hopeless([pod for pod in pods if _is_since(pod, began)])

    try:
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(look())
            done = group.create_task(doing)
            done.add_done_callback(lambda _: looking.cancel())
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    return done.result()


def _is_since(pod: Body, time: datetime) -> bool:
    """Whether a pod was made since then; Kubernetes' times have no fractions."""
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return made >= time.replace(microsecond=0)


async def snapshot(kube: Kube, manifests: Sequence[Manifest]) -> Seen:
    """A namespace's objects as they are now: those of the manifests' kinds, and its pods."""
    objects: dict[tuple[str, str], Body] = {}
    for api_version, kind in _kinds(manifests):
        for body in await kube.list(api_version, kind, manifests[0].namespace):
            objects[kind, body["metadata"]["name"]] = body
    return Seen(objects)


class _Follower:
    """What has been seen of one release, and what is thought of it."""

    def __init__(
        self, kube: Kube, wanted: Sequence[Manifest], progress: Progress, namespace: str
    ) -> None:
        self._kube, self._wanted, self._progress = kube, wanted, progress
        self._namespace = namespace
        self._objects: dict[tuple[str, str], Body] = {}
        self._changed = asyncio.Event()
        self._hopeless_since: dict[Trouble, float] = {}
        self._said = ""
        self._waker = RedisWaker(kube, wanted)
        self.kinds = _kinds(wanted)
        # Whether anything was ever lacking: how long looking took says nothing on a busy machine.
        self.has_waited = False

    async def watch(self, api_version: str, kind: str) -> None:
        """Note every change of a kind's objects, until cancelled."""
        async with contextlib.aclosing(
            self._kube.watch(api_version, kind, self._namespace)
        ) as events:
            async for event, body in events:
                key = (kind, body["metadata"]["name"])
                if event == "DELETED":
                    self._objects.pop(key, None)
                else:
                    self._objects[key] = body
                self._changed.set()

    async def judge(self) -> None:
        """Return when everything is ready and stays so."""
        # Before the first look nothing has been seen, which isn't the same as absent.
        self._objects.update((await snapshot(self._kube, self._wanted)).objects)
        while True:
            lacking = self._lacking()
            self.has_waited |= bool(lacking)
            self._say(lacking)
            if not lacking and await self._is_stable():
                return
            await self.fail_if_hopeless(self._seen().pods({}))
            await self._waker.look(self._seen())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), TICK_S)
            await asyncio.sleep(BURST_S)
            self._changed.clear()

    def too_late(self, limit_s: float) -> WaitTimeoutError:
        """The error at the limit: what each object lacked last."""
        lines = [f"  {key}: {reason}" for key, reason in self._lacking().items()]
        waiting = [f"  pod {line}" for line in _waiting(self._seen())]
        return WaitTimeoutError(
            "\n".join([f"The release isn't ready after {limit_s:.0f} s:", *lines, *waiting]),
            "Look at `vrooli status` and `vrooli logs`, then run the same command again.",
        )

    def _seen(self) -> Seen:
        return Seen(self._objects)

    def _lacking(self) -> dict[str, str]:
        return readiness.lacks(self._wanted, self._seen())

    def _say(self, lacking: dict[str, str]) -> None:
        ready = len(self._wanted) - len(lacking)
        first = next((f"; {key}: {reason}" for key, reason in lacking.items()), "")
        text = f"{ready} of {len(self._wanted)} ready{first}"
        if text != self._said:
            self._progress.say(text)
        self._said = text

    async def _is_stable(self) -> bool:
        """Whether it is still ready in a while, by a fresh look: a watch may miss an end."""
        await asyncio.sleep(STABLE_S)
        self._objects = dict((await snapshot(self._kube, self._wanted)).objects)
        return not self._lacking()

    async def fail_if_hopeless(self, pods: Sequence[Body]) -> None:
        """Raise when one of the pods has been in a state without hope for a while."""
        now = time.monotonic()
        found = hopeless.troubles(pods, datetime.now(UTC))
        self._hopeless_since = {item: self._hopeless_since.get(item, now) for item in found}
        lasting = [item for item, since in self._hopeless_since.items() if now - since > HOPELESS_S]
        if lasting:
            shown = [f"  {line}" for item in lasting for line in await self._told(item)]
            raise ReleaseFailedError(
                "\n".join(["The release can't become ready:", *shown]),
                "Correct what the pod says, then run the same command again.",
            )

    async def _told(self, trouble: Trouble) -> list[str]:
        """A trouble, with the end of the log of what crashed."""
        lines = [str(trouble)]
        if trouble.crashed:
            log = self._kube.logs(
                self._namespace,
                trouble.pod,
                trouble.container,
                tail=LOG_LINES,
                previous=True,
            )
            with contextlib.suppress(VrooliError):
                told = [line async for line in log]
                hiding_secrets = await hiding.redactor(self._kube, self._namespace)
                lines += [f"  {line}" for line in hiding_secrets.lines(told)]
        return lines


def _kinds(manifests: Iterable[Manifest]) -> list[tuple[str, str]]:
    """The kinds to look at, each once; pods are the evidence for others."""
    return list(dict.fromkeys([("v1", "Pod"), *((m.api_version, m.kind) for m in manifests)]))


def _waiting(seen: Seen) -> Iterable[str]:
    """Why containers wait."""
    for pod in seen.pods({}):
        for container in pod.get("status", {}).get("containerStatuses", []):
            waits = container.get("state", {}).get("waiting")
            if waits:
                said = f" ({waits['message']})" if waits.get("message") else ""
                yield f"{pod['metadata']['name']}/{container['name']}: {waits.get('reason')}{said}"
