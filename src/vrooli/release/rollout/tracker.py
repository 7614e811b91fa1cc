"""Follow a release until all of it is ready, or until it is clear that it won't be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import ObjectState, Progress
from vrooli.kube import Kube, NoAnswerError
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.kube.watcher import Watcher
from vrooli.redaction import Redactor
from vrooli.release import secret_redaction
from vrooli.release.rollout import (
    autoscaling,
    context,
    failures,
    operator_logs,
    queries,
    readiness,
    refusals,
)
from vrooli.release.rollout import progress as rollout_progress
from vrooli.release.rollout.confirmation import Blame
from vrooli.release.rollout.context import EVER, Scene
from vrooli.release.rollout.failures import Trouble
from vrooli.release.rollout.progress import Line
from vrooli.release.rollout.readiness import RULES
from vrooli.release.rollout.redis_reconcile import RedisWaker
from vrooli.steps import Done, first_error

T = TypeVar("T")

# What is ready must be so this long after a change, and after the databases came, seconds: their
# operators see a change late, and a service that lost its database passes one probe more.
STABLE_S = 1.0
# How often it is looked at without any change, seconds: times pass, too.
TICK_S = 1.0
# Changes come in bursts; one look after each is enough, seconds.
BURST_S = 0.1
# A fresh look at everything, in case a watch has missed an end, seconds.
LOOK_S = 20.0
# How long the API server may be away, seconds: it may start anew, or another take its place.
AWAY_S = 20.0


class ReleaseFailedError(VrooliError):
    """A release can't become ready as it is; the message says which pod stands in its way."""


async def until_ready(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    timeout_s: float = 600.0,
    *,
    since: datetime = EVER,
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
    wanted = tuple(manifests)
    follower = Follower(kube, wanted, progress, since)
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
            await follower.start(group)
            await follower.judge(rests=rests)
            follower.end()
    except TimeoutError:
        raise follower.too_late(timeout_s) from None
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    waited = time.monotonic() - began
    said = f"{len(follower.counted)} objects ready after {waited:.0f} s"
    return Done(follower.has_waited, "; ".join([said, *map(str, follower.unavailable)]))


async def unless_hopeless(
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
    follower = Follower(kube, (*hooks, *needed), progress, datetime.now(UTC))
    try:
        async with asyncio.TaskGroup() as group:
            await follower.start(group)
            looking = group.create_task(follower.judge_hooks())
            done = group.create_task(doing)
            done.add_done_callback(lambda _: looking.cancel())
            done.add_done_callback(lambda _: follower.end())
    except ExceptionGroup as errors:
        raise first_error(errors) from None
    return done.result()


async def snapshot(kube: Kube, manifests: Sequence[Manifest]) -> Snapshot:
    """A namespace's objects as they are now: those of the manifests' kinds, and their evidence."""
    kinds = [*queries.kinds(manifests), queries.EVENT]
    return await queries.fetch_snapshot(kube, manifests[0].namespace, kinds)


class Follower:
    """What has been seen of one release, and what is thought of it.

    Attributes:
        counted: The objects that must be ready.
        has_waited: Whether anything was ever lacking: how long looking took says nothing on a
            busy machine.
        unavailable: What couldn't be looked at when all else was ready.
    """

    def __init__(
        self, kube: Kube, wanted: Sequence[Manifest], progress: Progress, began: datetime
    ) -> None:
        self._kube, self._wanted, self._progress = kube, tuple(wanted), progress
        self._namespace = wanted[0].namespace if wanted else ""
        self._watcher = Watcher(
            kube, self._namespace, partial(queries.fetch, kube), queries.is_optional
        )
        self._waker = RedisWaker(kube, wanted)
        self._began = began
        # When it was changed last, and since when all that others need has been ready.
        self._changed = EVER
        self._settled: datetime | None = EVER
        self._earlier_ends: dict[tuple[str, str], int] = {}
        # The Secrets of Vault that were awaited, and since when those that came have been there.
        self._awaited: set[str] = set()
        self._filled: dict[str, datetime] = {}
        self._blame = Blame(kube, self._namespace)
        self._shown: dict[str, Line] = {}
        self._said = ""
        # What the operators' logs say of those that lack nothing, by kind and name.
        self._errors: Mapping[str, str] = {}
        self.unavailable: Sequence[Unavailable] = ()
        self._looked_at = time.monotonic()
        self._redactor = Redactor()
        self.counted = [item for item in wanted if not item.is_hook and item.kind in RULES]
        self.has_waited = False

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Begin to watch."""
        if self._wanted:
            hooks = context.hooks(self._wanted)
            kinds = [*queries.kinds([*self.counted, *hooks]), *queries.EVIDENCE]
            # Nothing is shown before both are there; the group ends either with the other.
            learning = group.create_task(self._learn_secrets())
            self._watcher.watch(group, queries.queries(kinds, self._namespace))
            # Before the first list nothing is known, which isn't the same as absent.
            await self._refresh()
            await learning

    async def _refresh(self) -> None:
        """List all anew but the events, which don't end."""
        await self._watcher.refresh(
            query for query in self._watcher.queries if query.kind != queries.EVENT[1]
        )

    def end(self) -> None:
        """Watch no more."""
        self._watcher.stop()

    @property
    def seen(self) -> Snapshot:
        """What was seen last."""
        return self._watcher.snapshot

    @property
    def lines(self) -> list[Line]:
        """Each object, as it was shown last."""
        return list(self._shown.values())

    async def judge(self, *, rests: bool = False) -> None:
        """Return when everything is ready and stays so, or at once where it ``rests`` and is."""
        if not rests:
            self._changed = datetime.now(UTC)
        while True:
            lacking = self.lacking()
            self.has_waited |= bool(lacking)
            self.show(self.troubles())
            if not lacking and await self.is_whole(at_once=rests and not self.has_waited):
                return
            await self.fail_if_hopeless()
            with contextlib.suppress(NoAnswerError):  # it is tried again, or a look finds it away
                await self._waker.look(self.seen)
            await self.change()

    async def judge_hooks(self) -> None:
        """Raise when a hook can't succeed; until it is cancelled."""
        while True:
            self.show(self.troubles())
            await self.fail_if_hopeless()
            await self.change()

    async def change(self) -> None:
        """Wait for a change, or a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._watcher.changed.wait(), TICK_S)
        await asyncio.sleep(BURST_S)
        self._watcher.changed.clear()
        silent_s = time.monotonic() - self._looked_at
        if silent_s > LOOK_S:
            await self._look_again(silent_s)

    async def _look_again(self, silent_s: float) -> None:
        """Have a fresh look; an API server that is away for a moment is waited for."""
        try:
            await self._refresh()
            await self._learn_secrets()
        except PrerequisiteError:
            if silent_s > LOOK_S + AWAY_S:
                raise
        else:
            self._looked_at = time.monotonic()

    async def _learn_secrets(self) -> None:
        """Know what may not be said; Secrets are made while a release becomes ready."""
        self._redactor = await secret_redaction.redactor(self._kube, self._namespace)

    def too_late(self, limit_s: float) -> WaitTimeoutError:
        """The error at the limit: what each object lacked last."""
        lacking = [line for line in self._lines(()) if line.state is not ObjectState.READY]
        lines = [f"  {line.object}: {line.detail}" for line in lacking]
        lines += [f"  {self._redactor.text(f'{key}: {it}')}" for key, it in self.errors().items()]
        return WaitTimeoutError(
            "\n".join([f"The release isn't ready after {limit_s:.0f} s:", *lines]),
            self._advice(),
        )

    def _advice(self) -> str:
        """What to do at the limit: a node that is being made needs nothing but time."""
        pods = Scene(self._wanted, self.seen).current(self.seen.pods())
        names = autoscaling.awaiting_node(pods, self.seen, datetime.now(UTC))
        begin = (
            f"A node was still being made for {', '.join(names)}: wait for it"
            if names
            else "Look at `vrooli status` and `vrooli logs`"
        )
        return (
            f"{begin}, then run the same command again; "
            "`vrooli deploy` and `vrooli rollback` wait longer with --timeout."
        )

    def lacking(self) -> dict[str, str]:
        """What each object lacks, by kind and name."""
        return readiness.lacks(self.counted, self.seen)

    def errors(self) -> Mapping[str, str]:
        """What the operators' logs said last of those that lack nothing, by kind and name."""
        return {} if self.lacking() else self._errors

    def show(self, troubles: Iterable[Trouble], *, summary: bool = True) -> None:
        """Tell what has changed: of each object and, with ``summary``, of all together."""
        found = self._lines({trouble.pod for trouble in troubles})
        for line in found:
            if self._shown.get(line.object) != line:
                self._progress.show(line.object, line.state, line.detail)
        self._shown = {line.object: line for line in found}
        ready = sum(line.state is ObjectState.READY for line in found)
        text = f"{ready} of {len(found)} ready"
        if summary and found and text != self._said:
            self._progress.report(text)
        self._said = text

    def _lines(self, failed: Iterable[str]) -> list[Line]:
        ends = self._earlier_ends
        return rollout_progress.lines(self._wanted, self.seen, set(failed), self._redactor, ends)

    async def is_whole(self, *, at_once: bool = False) -> bool:
        """Whether it stays ready, and no operator meets with errors that only its log tells of.

        Args:
            at_once: Whether it need not stay so: nothing was changed.
        """
        if not at_once and not await self.is_stable():
            return False
        read = await operator_logs.read(self._kube, self.counted, self.seen)
        self._errors, self.unavailable = read.errors, (*self.seen.unavailable, *read.unavailable)
        self.has_waited |= bool(self._errors)
        for name, reason in self._errors.items():
            self._progress.report(self._redactor.text(f"{name}: {reason}"))
        return not self._errors

    async def is_stable(self) -> bool:
        """Whether it stays ready, by a fresh look: a watch may miss an end."""
        since = max(self._changed, self._settled or datetime.now(UTC))
        await asyncio.sleep(max(0.0, STABLE_S - (datetime.now(UTC) - since).total_seconds()))
        try:
            await self._refresh()
        except PrerequisiteError:
            return False
        return not self.lacking()

    def troubles(self) -> list[Trouble]:
        """What stands in the way now, believed or not."""
        now = datetime.now(UTC)
        if not context.is_settled(self._wanted, self.seen):
            self._settled = None
        elif self._settled is None:
            self._settled = now
        self._earlier_ends |= failures.earlier_ends(
            self.seen.pods(), self._began, self._earlier_ends
        )
        unfilled = context.unfilled(self._wanted, self.seen)
        self._filled = {
            name: self._filled.get(name, now) for name in (self._awaited | unfilled) - unfilled
        }
        self._awaited |= unfilled
        where = Scene(
            self._wanted, self.seen, self._settled, self._began, self._earlier_ends, self._filled
        )
        return [
            *failures.troubles(self.seen.pods(), now, where),
            *refusals.refused(where),
            *(refusals.trouble(name, reason) for name, reason in self.errors().items()),
        ]

    async def blame(self) -> list[str]:
        """What stands in the way and won't pass, in words; none while there is hope."""
        return await self._blame.lines(self.troubles())

    async def fail_if_hopeless(self) -> None:
        """Raise when something has stood in the way for long enough."""
        if blamed := await self.blame():
            raise ReleaseFailedError(
                "\n".join(["The release can't become ready:", *(f"  {line}" for line in blamed)]),
                "Correct what the pod says, then run the same command again.",
            )
