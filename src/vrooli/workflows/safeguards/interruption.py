"""The end of an interrupted deploy or rollback: report the changes and offer a rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.errors import BY_PERSON, InterruptError, VrooliError
from vrooli.events import Listener, Progress
from vrooli.kube import Kube
from vrooli.release import failure_handling, lease
from vrooli.release.drift import comparison
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import Release, Revision
from vrooli.release.records import storage
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.safeguards.consent import Consent, objects

# The timeout of reading the changes, seconds.
READ_S = 10.0
AGAIN = "Run the same command again: it continues where it stopped."


@dataclass(frozen=True)
class InterruptedChange:
    """A change that was interrupted.

    Attributes:
        kube: The cluster.
        release: The release.
        manifests: Its desired objects.
        live: Its objects before the change.
        before: The revision before; None at a first installation.
        roll_back: Restores the last revision that was ready, or the one before; None if it must
            not be offered.
        command: The command that does so.
        undo: Restores what was changed beside Helm's objects, if Helm has not begun.
    """

    kube: Kube
    release: Release
    manifests: Sequence[Manifest]
    live: Bodies
    before: Revision | None
    roll_back: Callable[[Progress], Awaitable[Done]] | None
    command: str
    undo: Callable[[], Awaitable[None]] | None = None

    async def end(
        self, cancelled: asyncio.CancelledError, listener: Listener, consent: Consent
    ) -> InterruptError:
        """Report the changes, and roll back if a prompt on the terminal is confirmed.

        The task was cancelled and continues for this; a second signal ends the process.
        """
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        try:
            async with asyncio.timeout(READ_S):
                changed, now = await self._fetch_changes()
        except (VrooliError, TimeoutError):
            return InterruptError(f"The changes to {self.release} could not be read.", self._advice)
        if now is None:  # Helm records a revision before it changes anything
            return await self._undo()
        summary = (
            f"Already changed: {objects(changed) if changed else 'no objects'}. Helm's revision "
            f"{now.number} is {now.status} and may not be ready."
        )
        by_person = cancelled.args[:1] == (BY_PERSON,)
        if not by_person or consent.ask is None or self.roll_back is None:
            return InterruptError(f"{summary}\nThe release may not work.", self._advice)
        if not consent.ask(f"{summary}\n{self._question}"):
            return InterruptError(f"{summary}\nThe release was left as it is.", self._advice)
        if not await self._is_still(now):
            return InterruptError(
                f"Another deploy of {self.release} has started since. No rollback was performed.",
                "Run `vrooli status` to see its progress.",
            )
        return await self._roll_back(self.roll_back, listener, summary)

    async def _undo(self) -> InterruptError:
        """Undo what was changed before Helm; without the lock it may be another command's."""
        try:
            if self.undo is not None and await lease.is_ours(self.kube, self.release):
                await self.undo()
        except VrooliError as error:
            return InterruptError(
                f"No objects of {self.release} were changed, but the overrides could not be "
                f"restored: {error.message}",
                AGAIN,
            )
        return InterruptError(f"No objects of {self.release} were changed.", AGAIN)

    async def _roll_back(
        self, roll_back: Callable[[Progress], Awaitable[Done]], listener: Listener, summary: str
    ) -> InterruptError:
        try:
            (ended,) = await run_steps([Step("rollback", "Rollback", roll_back)], listener)
        except VrooliError as error:
            return InterruptError(f"{summary}\nRollback failed: {error.message}", self._advice)
        return InterruptError(f"{self.release.name} {ended.detail}.")

    async def _fetch_changes(self) -> tuple[list[str], Revision | None]:
        """Fetch the changed objects and the new revision."""
        changed = await comparison.find_changed_since(self.kube, self.manifests, self.live)
        now = await storage.fetch_revision(self.kube, self.release)
        if now is None or (self.before is not None and now.number == self.before.number):
            return changed, None
        await failure_handling.mark_failed(
            self.kube, self.release, self.before, "it was interrupted"
        )
        return changed, now

    async def _is_still(self, shown: Revision) -> bool:
        """Whether the release is still locked by us and unchanged since the prompt."""
        try:
            last = await storage.fetch_revision(self.kube, self.release)
            ours = await lease.is_ours(self.kube, self.release)
        except VrooliError:
            return False
        return ours and last is not None and last.number == shown.number

    @property
    def _question(self) -> str:
        if self.before is None:
            return "Uninstall the release?"
        return "Roll the release back?"

    @property
    def _advice(self) -> str:
        return AGAIN if self.roll_back is None else f"{AGAIN} Or roll back: `{self.command}`."
