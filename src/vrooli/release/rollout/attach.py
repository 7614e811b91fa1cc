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
from vrooli.release.rollout.progress import Line
from vrooli.release.rollout.tracker import Follower
from vrooli.steps import first_error

DEPLOYED = "deployed"
# Helm's note and the Lease are asked for this often, seconds: they change twice in a deploy.
ASK_S = 2.0


@dataclass(frozen=True)
class Attended:
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
    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()


async def attend(kube: Kube, release: Release, progress: Progress, timeout_s: float) -> Attended:
    """Watch until the release is healthy and nobody is at work on it, or until it is hopeless.

    Raises:
        VrooliError: The cluster went away.
    """
    watcher = _Watcher(kube, release, progress)
    try:
        async with asyncio.timeout(timeout_s):
            return await watcher.watch()
    except TimeoutError:
        return watcher.ended([f"it isn't healthy after {timeout_s:.0f} s"])


@dataclass
class _Watcher:
    """What is known of the release meanwhile."""

    kube: Kube
    release: Release
    progress: Progress
    record: ReleaseRecord | None = None
    holder: Holder | None = None
    follower: Follower | None = None
    said: str = ""

    async def watch(self) -> Attended:
        """Follow one revision after the other until one has an end."""
        while True:
            await self.ask()
            if self.record is not None:
                if (end := await self.follow(self.record)) is not None:
                    return end
            elif self.is_held:
                await asyncio.sleep(ASK_S)  # a first installation, before Helm's first note
            else:
                return self.ended([f"there is no release {self.release.name}"])

    @property
    def revision(self) -> Revision | None:
        """The newest revision."""
        return self.record.revision if self.record is not None else None

    @property
    def is_held(self) -> bool:
        """Whether somebody who lives is at work on it."""
        return self.holder is not None and not self.holder.is_stale(datetime.now(UTC))

    async def ask(self) -> None:
        """Ask for Helm's state and the Lease, and tell what they say."""
        self.record, self.holder = await asyncio.gather(
            storage.fetch_record(self.kube, self.release), _holder(self.kube, self.release)
        )
        text = f"{told(self.revision)}; {told_of_holder(self.holder, datetime.now(UTC))}"
        if text != self.said:
            self.progress.report(text)
        self.said = text

    async def follow(self, record: ReleaseRecord) -> Attended | None:
        """Follow one revision; None when there is another one."""
        revision, manifests = record.revision, record.manifests
        since = revision.deployed_at or context.EVER
        self.follower = Follower(self.kube, manifests, self.progress, since)
        try:
            async with asyncio.TaskGroup() as group:
                await self.follower.start(group)
                end = await self._judge(self.follower, revision.number)
                self.follower.end()
        except ExceptionGroup as errors:
            raise first_error(errors) from None
        return end

    async def _judge(self, follower: Follower, number: int) -> Attended | None:
        asked_at = time.monotonic()
        while True:
            if time.monotonic() - asked_at >= ASK_S:
                await self.ask()
                asked_at = time.monotonic()
            if self.revision is None or self.revision.number != number:
                return None
            follower.show(follower.troubles(), summary=False)
            if blamed := await follower.blame():
                return self.ended(blamed)
            if not self.is_held and not self.revision.is_pending and not follower.lacking():
                await self.ask()
                if await follower.is_whole() and not self.is_held:
                    return await self._rested(self.revision)
            await follower.change()

    async def _rested(self, revision: Revision) -> Attended:
        """All is ready and nobody is at work: as it was noted, that's the end."""
        if revision.status == DEPLOYED:
            end = self.record.metadata.end if self.record else End.UNKNOWN
            half = metadata.format_unready(revision.number, end)
            return self.ended([half] if half else [])
        return self.ended([f"Helm has noted revision {revision.number} as {revision.status}"])

    def ended(self, problems: list[str]) -> Attended:
        """The end, with all that is known."""
        lines = tuple(self.follower.lines) if self.follower else ()
        unavailable = tuple(self.follower.unavailable) if self.follower else ()
        return Attended(self.revision, self.holder, lines, tuple(problems), unavailable)


async def _holder(kube: Kube, release: Release) -> Holder | None:
    """Who is at work; who may not look at Leases is told of nobody."""
    try:
        return await lease.holder(kube, release)
    except ApiError as error:
        if error.is_forbidden:
            return None
        raise


def told(revision: Revision | None) -> str:
    """Helm's state, in words."""
    if revision is None:
        return "Helm has noted nothing yet"
    return f"Helm: revision {revision.number} is {revision.status}"


def told_of_holder(holder: Holder | None, now: datetime) -> str:
    """Who is at work, in words."""
    if holder is None:
        return "nobody is at work on it"
    if holder.is_stale(now):
        return f"{holder.name} has died at work on it"
    return f"{holder.name} is at work on it"
