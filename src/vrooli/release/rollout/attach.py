"""Attach to a release: follow another process's deploy until it ends; nothing is changed."""

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
# The interval of reads of Helm's record and the Lease, seconds; they change twice in a deploy.
REFRESH_S = 2.0


@dataclass(frozen=True)
class AttachResult:
    """The state at the end of attaching.

    Attributes:
        revision: The newest revision; None if the release does not exist.
        holder: The holder of the lock.
        lines: The last state of each object.
        problems: Why it can't become healthy; empty if it is healthy.
        unavailable: What could not be read when all else was ready.
    """

    revision: Revision | None = None
    holder: Holder | None = None
    lines: tuple[ResourceProgress, ...] = ()
    problems: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()


async def attach(
    kube: Kube, release: Release, progress: Progress, timeout_s: float
) -> AttachResult:
    """Follow until the release is healthy and unlocked, or until a failure is certain.

    Raises:
        VrooliError: The cluster stopped responding.
    """
    watcher = _Watcher(kube, release, progress)
    try:
        async with asyncio.timeout(timeout_s):
            return await watcher.watch()
    except TimeoutError:
        return watcher.result([f"it isn't healthy after {timeout_s:.0f} s"])


@dataclass
class _Watcher:
    """The state while attached."""

    kube: Kube
    release: Release
    progress: Progress
    record: ReleaseRecord | None = None
    holder: Holder | None = None
    rollout: RolloutTracker | None = None
    reported: str = ""

    async def watch(self) -> AttachResult:
        """Follow the newest revision until it is healthy or has failed."""
        while True:
            await self.refresh()
            if self.record is not None:
                if (end := await self.track(self.record)) is not None:
                    return end
            elif self.is_locked:
                await asyncio.sleep(REFRESH_S)  # a first installation, before Helm's first record
            else:
                return self.result([f"there is no release {self.release.name}"])

    @property
    def revision(self) -> Revision | None:
        """The newest revision."""
        return self.record.revision if self.record is not None else None

    @property
    def is_locked(self) -> bool:
        """Whether a live process holds the lock."""
        return self.holder is not None and not self.holder.is_stale(datetime.now(UTC))

    async def refresh(self) -> None:
        """Read Helm's record and the Lease, and report changes."""
        self.record, self.holder = await asyncio.gather(
            storage.fetch_record(self.kube, self.release), _holder(self.kube, self.release)
        )
        text = f"{format_revision(self.revision)}; {format_holder(self.holder, datetime.now(UTC))}"
        if text != self.reported:
            self.progress.report(text)
        self.reported = text

    async def track(self, record: ReleaseRecord) -> AttachResult | None:
        """Follow one revision; None if a newer one replaces it."""
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
            if confirmed := await rollout.confirmed_failures(rollout.evaluate(summary=False)):
                return self.result(confirmed)
            if not self.is_locked and not self.revision.is_pending and not rollout.unready():
                await self.refresh()
                if await rollout.is_fully_ready() and not self.is_locked:
                    return await self._result_at_rest(self.revision)
            await rollout.change()

    async def _result_at_rest(self, revision: Revision) -> AttachResult:
        """The result once all is ready and unlocked, by Helm's record."""
        if revision.status == DEPLOYED:
            end = self.record.metadata.end if self.record else End.UNKNOWN
            problem = metadata.format_unready(revision.number, end)
            return self.result([problem] if problem else [])
        return self.result([f"Helm's status of revision {revision.number} is {revision.status}"])

    def result(self, problems: list[str]) -> AttachResult:
        """Build the result with the current state."""
        lines = tuple(self.rollout.lines) if self.rollout else ()
        unavailable = tuple(self.rollout.unavailable) if self.rollout else ()
        return AttachResult(self.revision, self.holder, lines, tuple(problems), unavailable)


async def _holder(kube: Kube, release: Release) -> Holder | None:
    """Fetch the holder; None without the permission to read Leases."""
    try:
        return await lease.fetch_holder(kube, release)
    except ApiError as error:
        if error.is_forbidden:
            return None
        raise


def format_revision(revision: Revision | None) -> str:
    """Helm's status, for people."""
    if revision is None:
        return "Helm has no record yet"
    return f"Helm: revision {revision.number} is {revision.status}"


def format_holder(holder: Holder | None, now: datetime) -> str:
    """The lock's state, for people."""
    if holder is None:
        return "no deploy is running"
    if holder.is_stale(now):
        return f"{holder.name} held the lock; the process is gone"
    return f"{holder.name} holds the lock"
