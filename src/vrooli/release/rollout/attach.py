"""Watch a release that something else is deploying, or that rests; nothing is changed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.kube.unavailable import Unavailable
from vrooli.release import lease
from vrooli.release.lease import Holder
from vrooli.release.model import Release, Revision
from vrooli.release.records import metadata, storage
from vrooli.release.records.metadata import End
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import context
from vrooli.release.rollout.progress import ResourceProgress
from vrooli.release.rollout.tracker import RolloutTracker
from vrooli.steps import first_error

DEPLOYED = "deployed"
# Helm's note and the Lease are asked for this often, seconds: they change twice in a deploy.
REFRESH_S = 2.0


@dataclass(frozen=True)
class AttachResult:
    """How watching ended.

    Attributes:
        revision: The newest revision; None when there is no such release.
        holder: Who is at work on it.
        lines: Each object, as it was seen last.
        problems: Why it can't become healthy; none when it is.
        unavailable: What couldn't be looked at when all else was ready.
    """

    revision: Revision | None = None
    holder: Holder | None = None
    lines: tuple[ResourceProgress, ...] = ()
    problems: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()


async def attach(
    kube: Kube, release: Release, progress: Progress, timeout_s: float
) -> AttachResult:
    """Watch until the release is healthy and nobody is at work on it, or until it is hopeless.

    Raises:
        VrooliError: The cluster went away.
    """
    watcher = _Watcher(kube, release, progress)
    try:
        async with asyncio.timeout(timeout_s):
            return await watcher.watch()
    except TimeoutError:
        return watcher.result([f"it isn't healthy after {timeout_s:.0f} s"])


@dataclass
class _Watcher:
    """What is known of the release meanwhile."""

    kube: Kube
    release: Release
    progress: Progress
    record: ReleaseRecord | None = None
    holder: Holder | None = None
    rollout: RolloutTracker | None = None
    reported: str = ""

    async def watch(self) -> AttachResult:
        """Follow one revision after the other until one has an end."""
        while True:
            await self.refresh()
            if self.record is not None:
                if (end := await self.track(self.record)) is not None:
                    return end
            elif self.is_locked:
                await asyncio.sleep(REFRESH_S)  # a first installation, before Helm's first note
            else:
                return self.result([f"there is no release {self.release.name}"])

    @property
    def revision(self) -> Revision | None:
        """The newest revision."""
        return self.record.revision if self.record is not None else None

    @property
    def is_locked(self) -> bool:
        """Whether somebody who lives is at work on it."""
        return self.holder is not None and not self.holder.is_stale(datetime.now(UTC))

    async def refresh(self) -> None:
        """Ask for Helm's state and the Lease, and tell what they say."""
        self.record, self.holder = await asyncio.gather(
            storage.fetch_record(self.kube, self.release), _holder(self.kube, self.release)
        )
        text = f"{format_revision(self.revision)}; {format_holder(self.holder, datetime.now(UTC))}"
        if text != self.reported:
            self.progress.report(text)
        self.reported = text

    async def track(self, record: ReleaseRecord) -> AttachResult | None:
        """Follow one revision; None when there is another one."""
        revision, manifests = record.revision, record.manifests
        since = revision.deployed_at or context.EPOCH
        self.rollout = RolloutTracker(self.kube, manifests, self.progress, since)
        try:
            async with asyncio.TaskGroup() as group:
                await self.rollout.start(group)
                end = await self._track_revision(self.rollout, revision.number)
                self.rollout.end()
        except ExceptionGroup as errors:
            raise first_error(errors) from None
        return end

    async def _track_revision(self, rollout: RolloutTracker, number: int) -> AttachResult | None:
        refreshed_at = time.monotonic()
        while True:
            if time.monotonic() - refreshed_at >= REFRESH_S:
                await self.refresh()
                refreshed_at = time.monotonic()
            if self.revision is None or self.revision.number != number:
                return None
            rollout.show(rollout.current_failures(), summary=False)
            if confirmed := await rollout.confirmed_failures():
                return self.result(confirmed)
            if not self.is_locked and not self.revision.is_pending and not rollout.unready():
                await self.refresh()
                if await rollout.is_fully_ready() and not self.is_locked:
                    return await self._result_at_rest(self.revision)
            await rollout.change()

    async def _result_at_rest(self, revision: Revision) -> AttachResult:
        """All is ready and nobody is at work: as it was noted, that's the end."""
        if revision.status == DEPLOYED:
            end = self.record.metadata.end if self.record else End.UNKNOWN
            problem = metadata.format_unready(revision.number, end)
            return self.result([problem] if problem else [])
        return self.result([f"Helm has noted revision {revision.number} as {revision.status}"])

    def result(self, problems: list[str]) -> AttachResult:
        """The end, with all that is known."""
        lines = tuple(self.rollout.lines) if self.rollout else ()
        unavailable = tuple(self.rollout.unavailable) if self.rollout else ()
        return AttachResult(self.revision, self.holder, lines, tuple(problems), unavailable)


async def _holder(kube: Kube, release: Release) -> Holder | None:
    """Who is at work; who may not look at Leases is told of nobody."""
    try:
        return await lease.fetch_holder(kube, release)
    except ApiError as error:
        if error.is_forbidden:
            return None
        raise


def format_revision(revision: Revision | None) -> str:
    """Helm's state, in words."""
    if revision is None:
        return "Helm has noted nothing yet"
    return f"Helm: revision {revision.number} is {revision.status}"


def format_holder(holder: Holder | None, now: datetime) -> str:
    """Who is at work, in words."""
    if holder is None:
        return "nobody is at work on it"
    if holder.is_stale(now):
        return f"{holder.name} has died at work on it"
    return f"{holder.name} is at work on it"
