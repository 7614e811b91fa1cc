"""The state of one rollout: what is ready, what has failed, and what is reported."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from vrooli import inert
from vrooli.chart.manifest import Manifest
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import ObjectState, Progress
from vrooli.kube import Kube, NoAnswerError
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.kube.watcher import Watcher
from vrooli.redaction import Redactor
from vrooli.release import secret_redaction
from vrooli.release.rollout import autoscaling, context, operator_logs, queries, readiness
from vrooli.release.rollout import progress as rollout_progress
from vrooli.release.rollout.confirmation import FailureConfirmer
from vrooli.release.rollout.context import EPOCH, RolloutContext
from vrooli.release.rollout.failure_history import FailureHistory
from vrooli.release.rollout.failures import PodFailure
from vrooli.release.rollout.progress import ResourceProgress
from vrooli.release.rollout.readiness import RULES
from vrooli.release.rollout.redis_reconcile import RedisReconcileTrigger
from vrooli.release.rollout.subject import RELEASE, Subject

# How long objects must stay ready after a change, and after the databases became ready, seconds:
# operators observe changes late, and a service without its database still passes one probe.
STABLE_S = 1.0
# The longest pause between two evaluations, seconds: grace periods end without any change.
POLL_S = 1.0
# Changes come in bursts; each burst is evaluated once, seconds.
DEBOUNCE_S = 0.1
# The pause after an evaluation, as a multiple of its duration: starting pods need the processor.
PAUSE_RATIO = 3.0
# The interval of complete lists, in case a watch missed a deletion, seconds.
RESYNC_S = 20.0
# How long the API server may be unreachable, seconds: it may restart or fail over.
API_OUTAGE_S = 20.0


class ReleaseFailedError(VrooliError):
    """A release cannot become ready; the message names the failing pod."""


class RolloutTracker:
    """The observed state of one release, and its evaluation.

    Attributes:
        counted: The objects that must be ready.
        has_waited: Whether any object was unready; the elapsed time does not show it on a
            busy machine.
        unavailable: What could not be read when all else was ready.
    """

    def __init__(
        self,
        kube: Kube,
        manifests: Sequence[Manifest],
        progress: Progress,
        began: datetime,
        subject: Subject = RELEASE,
    ) -> None:
        self._subject = subject
        self._kube, self._manifests, self._progress = kube, tuple(manifests), progress
        self._namespace = manifests[0].namespace if manifests else ""
        self._watcher = Watcher(
            kube, self._namespace, partial(queries.fetch, kube), queries.is_optional
        )
        self._redis_trigger = RedisReconcileTrigger(kube, manifests)
        self._history = FailureHistory(self._manifests, began)
        # The time of the last change.
        self._changed = EPOCH
        self._confirmer = FailureConfirmer(kube, self._namespace)
        self._shown: dict[str, ResourceProgress] = {}
        self._last_message = ""
        # Errors in the operators' logs about objects that look ready, by kind and name.
        self._errors: Mapping[str, str] = {}
        # Why objects are not ready in a snapshot, which is evaluated more than once.
        self._unready: tuple[Snapshot, dict[str, str]] | None = None
        # How long the last evaluation took, seconds.
        self._evaluated_s = 0.0
        self.unavailable: Sequence[Unavailable] = ()
        self._synced_at = time.monotonic()
        self._redactor = Redactor()
        self.counted = [item for item in manifests if not item.is_hook and item.kind in RULES]
        self.has_waited = False

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start to watch."""
        if self._manifests:
            hooks = context.hooks(self._manifests)
            kinds = [*queries.kinds([*self.counted, *hooks]), *queries.EVIDENCE]
            # Nothing is shown before both are read; the group cancels one if the other fails.
            learning = group.create_task(self._refresh_redactor())
            self._watcher.watch(group, queries.queries(kinds, self._namespace))
            # Before the first list the state is unknown, which differs from absent.
            await self._refresh()
            await learning

    async def _refresh(self) -> None:
        """List everything again except for events."""
        await self._watcher.refresh(
            query for query in self._watcher.queries if query.kind != queries.EVENT[1]
        )

    def end(self) -> None:
        """Stop watching."""
        self._watcher.stop()

    @property
    def snapshot(self) -> Snapshot:
        """The last snapshot."""
        return self._watcher.snapshot

    @property
    def lines(self) -> list[ResourceProgress]:
        """The last reported state of each object."""
        return list(self._shown.values())

    async def judge(self, *, rests: bool = False) -> None:
        """Return when everything is ready and stays ready, or at once if it ``rests``."""
        if not rests:
            self._changed = datetime.now(UTC)
        while True:
            current, unready = self.evaluate(), self.unready()
            self.has_waited |= bool(unready)
            if not unready:
                if await self.is_fully_ready(at_once=rests and not self.has_waited):
                    return
                current = self.current_failures()
            await self.raise_confirmed_failures(current)
            with contextlib.suppress(NoAnswerError):  # retried at the next change
                await self._redis_trigger.trigger(self.snapshot)
            await self.change()

    async def judge_hooks(self) -> None:
        """Raise if a hook cannot succeed; runs until it is cancelled."""
        while True:
            await self.raise_confirmed_failures(self.evaluate())
            await self.change()

    def evaluate(self, *, summary: bool = True) -> list[PodFailure]:
        """Report what has changed, as ``show`` does, and return the current failures."""
        began = time.monotonic()
        current = self.current_failures()
        self.show(current, summary=summary)
        self._evaluated_s = time.monotonic() - began
        return current

    async def change(self) -> None:
        """Wait for a change, at most for ``POLL_S``, and longer after a long evaluation."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._watcher.changed.wait(), POLL_S)
        await asyncio.sleep(min(max(DEBOUNCE_S, self._evaluated_s * PAUSE_RATIO), POLL_S))
        self._watcher.changed.clear()
        silent_s = time.monotonic() - self._synced_at
        if silent_s > RESYNC_S:
            await self._resync(silent_s)

    async def _resync(self, silent_s: float) -> None:
        """List everything again; a short outage of the API server is tolerated."""
        try:
            await self._refresh()
            await self._refresh_redactor()
        except PrerequisiteError:
            if silent_s > RESYNC_S + API_OUTAGE_S:
                raise
        else:
            self._synced_at = time.monotonic()

    async def _refresh_redactor(self) -> None:
        """Read the Secrets to redact; some are made during the rollout."""
        self._redactor = await secret_redaction.redactor(self._kube, self._namespace)

    def too_late(self, limit_s: float) -> WaitTimeoutError:
        """The error at the timeout, with the reason of each unready object."""
        unready = [line for line in self._lines(()) if line.state is not ObjectState.READY]
        lines = [inert.line(f"  {line.object}: {line.detail}") for line in unready]
        lines += [
            inert.line(f"  {self._redactor.text(f'{key}: {it}')}")
            for key, it in self.errors().items()
        ]
        return WaitTimeoutError(
            "\n".join([f"{self._subject.name} isn't ready after {limit_s:.0f} s:", *lines]),
            self._advice(),
        )

    def _advice(self) -> str:
        """What to do at the timeout; a node that is being added only takes time."""
        pods = RolloutContext(self._manifests, self.snapshot).current(self.snapshot.pods())
        names = autoscaling.awaiting_node(pods, self.snapshot, datetime.now(UTC))
        begin = (
            f"A node was still being added for {', '.join(names)}: wait for it"
            if names
            else self._subject.status
        )
        return f"{begin}, then run the same command again{self._subject.longer}."

    def unready(self) -> dict[str, str]:
        """Why objects are not ready, by kind and name."""
        snapshot = self.snapshot
        if self._unready is None or self._unready[0] is not snapshot:
            self._unready = (snapshot, readiness.unready_reasons(self.counted, snapshot))
        return self._unready[1]

    def errors(self) -> Mapping[str, str]:
        """Errors in the operators' logs once all objects look ready, by kind and name."""
        return {} if self.unready() else self._errors

    def show(self, current_failures: Iterable[PodFailure], *, summary: bool = True) -> None:
        """Report changes: of each object and, with ``summary``, of all together."""
        progress_lines = self._lines({failure.pod for failure in current_failures})
        for line in progress_lines:
            if self._shown.get(line.object) != line:
                self._progress.show(line.object, line.state, line.detail)
        self._shown = {line.object: line for line in progress_lines}
        ready = sum(line.state is ObjectState.READY for line in progress_lines)
        text = f"{ready} of {len(progress_lines)} ready"
        if summary and progress_lines and text != self._last_message:
            self._progress.report(text)
        self._last_message = text

    def _lines(self, failed: Iterable[str]) -> list[ResourceProgress]:
        ends = self._history.earlier_ends
        return rollout_progress.lines(
            self._manifests, self.snapshot, set(failed), self._redactor, ends
        )

    async def is_fully_ready(self, *, at_once: bool = False) -> bool:
        """Whether it stays ready, and no operator's log shows errors.

        Args:
            at_once: Do not wait whether it stays ready: nothing was changed.
        """
        if not at_once and not await self.is_stable():
            return False
        read = await operator_logs.read(self._kube, self.counted, self.snapshot)
        self._errors, self.unavailable = (
            read.errors,
            (*self.snapshot.unavailable, *read.unavailable),
        )
        self.has_waited |= bool(self._errors)
        for name, reason in self._errors.items():
            self._progress.report(self._redactor.text(f"{name}: {reason}"))
        return not self._errors

    async def is_stable(self) -> bool:
        """Whether it stays ready, by a complete list: a watch may miss a deletion."""
        since = max(self._changed, self._history.settled or datetime.now(UTC))
        await asyncio.sleep(max(0.0, STABLE_S - (datetime.now(UTC) - since).total_seconds()))
        try:
            await self._refresh()
        except PrerequisiteError:
            return False
        return not self.unready()

    def current_failures(self) -> list[PodFailure]:
        """All current failures, confirmed or not."""
        return self._history.find(self.snapshot, self.errors())

    async def confirmed_failures(self, current: Sequence[PodFailure]) -> list[str]:
        """Those of the current failures that are confirmed, for people."""
        return await self._confirmer.confirm(current)

    async def raise_confirmed_failures(self, current: Sequence[PodFailure]) -> None:
        """Raise if a current failure is confirmed."""
        if confirmed := await self.confirmed_failures(current):
            raise ReleaseFailedError(
                "\n".join(
                    [
                        f"{self._subject.name} can't become ready:",
                        *(inert.line(f"  {line}") for line in confirmed),
                    ]
                ),
                "Fix the reported error, then run the same command again.",
            )
