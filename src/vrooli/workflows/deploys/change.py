"""A change of a release that Helm applies: compare, apply under the lock, follow, roll back.

`deploy` and the commands that change values of a release share it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from vrooli.chart.manifest import Manifest
from vrooli.chart.values import Values
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.grammar import counted
from vrooli.release import apply, failure_handling, lease, overrides, secret_redaction, uninstall
from vrooli.release.apply import Applied, ApplyOptions
from vrooli.release.drift import comparison, live_objects
from vrooli.release.drift.diff import ObjectChange
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import DEPLOYED, Revision
from vrooli.release.records import bookkeeping, storage
from vrooli.release.records.metadata import Origin
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import context, wait
from vrooli.steps import Done, Step, run_steps
from vrooli.vault import tls
from vrooli.workflows.deploys.desired import DesiredRelease
from vrooli.workflows.options import ChangeOptions
from vrooli.workflows.safeguards import deployable, interruption
from vrooli.workflows.safeguards.consent import Consent, objects


class ReleaseChange(DesiredRelease):
    """The steps of one change and the data that they share.

    Attributes:
        origin: What the release is made of, for its history.
        description: The description of the revision; None is Helm's.
        skipped_checks: The names of checks that do not apply.
        advice: What to do after it has failed.
        to_before: Whether a rollback restores the revision before, ready or not.
    """

    origin: Origin = apply.UNKNOWN_ORIGIN
    description: str | None = None
    skipped_checks: tuple[str, ...] = ()
    advice = "Fix the reported error, rebuild the artifact, and deploy it."
    to_before = False

    def __init__(self, options: ChangeOptions, package: Path, values: Values) -> None:
        super().__init__(options, package, values)
        self.changes: tuple[ObjectChange, ...] = ()
        self.began = context.EPOCH
        self.confirmed = False
        self.record: ReleaseRecord | None = None
        self.live: Bodies | None = None
        self.applied = Applied(changed=False)
        self.fit = asyncio.Event()

    @property
    def change(self) -> str:
        """The change to confirm, in words; empty if Helm has nothing to do."""
        if self.changes:
            return f"change {objects([change.key for change in self.changes])} of {self.release}"
        if self.record is None or self.record.revision.status == DEPLOYED:
            return ""
        newest = self.record.revision
        return f"deploy {self.release} once more, whose revision {newest.number} is {newest.status}"

    def images(self) -> set[str]:
        """The images that the change itself brings onto the nodes."""
        return set()

    async def check(self, progress: Progress) -> Done:
        """Run the preflight checks."""
        available = self.images() | await self.reached.cluster.images()
        kind, skipped = self.reached.cluster.kind, self.skipped_checks
        detail = await deployable.demand(
            self.kube, self.release, self.manifests, available, kind, skipped=skipped
        )
        self.fit.set()
        return Done(changed=False, detail=detail)

    async def compare(self, progress: Progress) -> Done:
        """Compare with Helm's newest record and with manual changes since."""
        try:
            self.record = record = await storage.fetch_record(self.kube, self.release)
            redactor = await secret_redaction.redactor(self.kube, self.release.namespace)
            preserve_added = self.options.preserve_added
            self.changes, self.live = await comparison.preview(
                self.kube,
                self.manifests,
                record,
                redactor,
                preserve_added=preserve_added,
                deployed=await storage.fetch_deployed_manifests(self.kube, self.release, record),
            )
            leftovers = (
                await uninstall.find_leftovers(self.kube, self.release, self.manifests)
                if record is None
                else []
            )
        except VrooliError:
            await self.fit.wait()  # a failed check ends this with a better message
            raise
        if record is None:
            detail = f"a new release of {counted(len(self.manifests), 'object')}"
            return Done(changed=False, detail=detail + uninstall.format_leftovers(leftovers))
        return Done(changed=False, detail=f"{counted(len(self.changes), 'changed object')}")

    def act_steps(self) -> list[Step]:
        """The steps that change the release."""
        return [
            Step("release", "Helm release", self.apply),
            Step("healthy", "Healthy release", self.follow, ("release",)),
        ]

    async def act(self, listener: Listener, consent: Consent) -> list[StepEnded]:
        """Apply and follow under the lock; on failure save a report and roll back."""
        steps = self.act_steps()
        progress = Progress("release", listener)
        async with lease.hold(self.kube, self.release, progress):
            await self.check_again()
            if self.confirmed or not self.live:  # the user may have taken long to confirm
                self.live = await live_objects.bodies(self.kube, self.manifests)
            before = await self.before()
            try:
                return await run_steps(steps, listener)
            except asyncio.CancelledError as cancelled:
                raise await self._interruption(before).end(
                    cancelled, listener, consent
                ) from cancelled
            except Exception as raised:
                error = failure_handling.as_error(raised)
                if isinstance(error, UsageError):
                    raise
                if await failure_handling.is_api_down(self.kube, error):
                    raise failure_handling.outage_error(self.release, error, "deploy") from raised
                failed = self._failed(before, error)
                return await failed.end(listener, rollback=self.options.rollback)

    def _failed(self, before: Revision | None, error: VrooliError) -> failure_handling.Failed:
        # The diagnosis is imported only on failure.
        from vrooli.diagnosis.failure_report import save  # noqa: PLC0415

        keeping = partial(save, self.kube, self.release, self.manifests)
        place = self.kube, self.release, self.manifests, before, error, keeping, self.unfinished
        return failure_handling.Failed(
            *place, self.advice, undo=self.undo, to_before=self.to_before
        )

    async def undo(self) -> None:
        """Undo what was changed beside Helm's objects, after they were rolled back."""

    def _interruption(self, before: Revision | None) -> interruption.InterruptedChange:
        go_back = self._failed(before, InterruptError("It was interrupted.")).roll_back
        command = "rollback" if before else "uninstall"
        number = f" {before.number}" if before and self.to_before else ""
        where = f"-e {self.options.environment.name} --cluster {self.reached.choice}"
        return interruption.InterruptedChange(
            self.kube,
            self.release,
            self.manifests,
            self.live or {},
            before,
            go_back if self.options.rollback else None,
            f"vrooli {command}{number} {where}",
            self.undo,
        )

    async def check_again(self) -> None:
        """Check again under the lock: another deploy may have ended since.

        Raises:
            PrerequisiteError: It has, and the confirmed changes are outdated; or the overrides have
                changed.
        """
        if not self.options.discard_overrides:
            await overrides.demand_unchanged(self.kube, self.release, self.overrides)
        if self.record and await storage.is_newest(self.kube, self.release, self.record):
            return
        record = await storage.fetch_record(self.kube, self.release)
        if record is None and self.record is None:
            return
        if self.confirmed:
            raise self.outdated_error()
        self.record, self.live = record, None

    def outdated_error(self) -> PrerequisiteError:
        """The error for changes that another deploy has outdated."""
        return PrerequisiteError(
            f"Another deploy of {self.release.name} finished in the meantime; "
            "this one changed nothing.",
            "Run the same command again: it shows what it would change now.",
        )

    async def before(self) -> Revision | None:
        """The newest revision that is not pending."""
        newest = self.record.revision if self.record is not None else None
        if newest is None or not newest.is_pending:
            return newest
        revisions = await storage.fetch_revisions(self.kube, self.release)
        return next((item for item in reversed(revisions) if not item.is_pending), None)

    @property
    def unfinished(self) -> tuple[Manifest, ...]:
        """The objects of the previous deploy, if it was killed."""
        is_pending = self.record is not None and self.record.revision.is_pending
        return self.record.manifests if self.record is not None and is_pending else ()

    async def apply(self, progress: Progress) -> Done:
        """Run Helm, and stop as soon as one of its hooks can't succeed."""
        self.began = datetime.now(UTC)
        bodies = [item.body for item in self.manifests]
        trusts = await tls.ensure_trust(self.kube, self.release.namespace, bodies)
        options = ApplyOptions(
            chart=self.package,
            desired=self.manifests,
            record=self.record,
            live=self.live,
            limit_s=self.options.timeout_s,
            origin=self.origin,
            description=self.description,
            preserve_added=self.options.preserve_added,
        )
        doing = apply.ensure(self.kube, self.release, self.values, progress, options)
        self.applied = await wait.run_unless_hooks_fail(self.kube, self.manifests, progress, doing)
        return replace(self.applied, changed=self.applied.changed or trusts)

    async def follow(self, progress: Progress) -> Done:
        """Follow the release until every object of it is ready."""
        done = await wait.until_ready(
            self.kube,
            self.manifests,
            progress,
            self.options.timeout_s,
            since=self.began,
            rests=not self.applied.changed,
        )
        done = await self._update_overrides(done)
        return await bookkeeping.record_healthy(
            self.kube, self.release, done, self.applied.revision
        )

    async def _update_overrides(self, done: Done) -> Done:
        """Remove or rebase the overrides, not before it is ready: a rollback needs them."""
        problem = ""
        if self.options.discard_overrides:
            problem = await bookkeeping.attempt(lambda: overrides.remove(self.kube, self.release))
        elif self.overrides and (base := self.base) is not None:
            problem = await bookkeeping.attempt(
                lambda: overrides.rebase(self.kube, self.release, base)
            )
        if not problem:
            return done
        act = "removed" if self.options.discard_overrides else "updated"
        detail = f"{done.detail}; its overrides could not be {act}: {problem}"
        return replace(done, detail=detail)
