"""Roll back to an earlier revision: check, confirm, roll back, follow."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Listener, LogLine, Progress, StepEnded
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release import failure_handling, lease, overrides, secret_redaction
from vrooli.release import rollback as reverting
from vrooli.release.drift import comparison, live_objects
from vrooli.release.drift.diff import ObjectChange
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import Release, Revision
from vrooli.release.records import bookkeeping, storage
from vrooli.release.records.metadata import End
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import context, wait
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.change_view import format_change, view
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.development import edited_pods
from vrooli.workflows.options import READY_S
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.releases import RollbackResult
from vrooli.workflows.safeguards import deployable, interruption
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent, objects

# Advice for a rollback that did not become ready; it is not rolled back.
ADVICE = "Roll back to another revision, or deploy an artifact with a fix."

# How the target revision is described, by the end of its deploy.
_UNREADY = {
    End.FAILED: ", which did not become ready when it was deployed",
    End.UNFINISHED: ", which never became ready",
}


@dataclass(frozen=True)
class RollbackOptions:
    """The options of rollback.

    Attributes:
        environment: The environment of the release.
        number: The target revision; None takes the last one that was ready.
        cluster: As ``--cluster`` takes it; None picks one.
        timeout_s: How long it may take to become ready, seconds.
        preserve_added: Keep the fields that people added by hand.
    """

    environment: Environment
    number: int | None = None
    cluster: str | None = None
    timeout_s: float = READY_S
    preserve_added: bool = False


async def rollback(
    options: RollbackOptions, listener: Listener, consent: Consent = CONFIRMED
) -> RollbackResult:
    """Roll back to an earlier revision, and follow it until it is healthy.

    Raises:
        UsageError: There is no such revision, or the confirmation is missing.
        PrerequisiteError: The cluster doesn't run, or a deploy does.
        NotDeployableError: The cluster lacks what that revision needs; nothing was changed.
        InterruptError: The user declined, or it was cancelled after Helm had started.
        DeployFailedError: It did not become ready.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        run = await _Run.prepared(options, reached)
        ended = await run_steps(run.read_steps(), listener)
        stored = await overrides.fetch(run.kube, run.release)
        for item in stored.entries:
            listener(LogLine("override", f"the next deploy applies {item.format()}"))
        for change in run.changes:
            for line in format_change(view(change)):
                listener(LogLine("change", line))
        run.confirmed = consent.demand(Action.ROLLBACK, options.environment.name, run.change)
        ended += await run.act(listener, consent)
        last = await storage.fetch_revision(run.kube, run.release)
    done = StepsResult.of(ended, time.monotonic() - began)
    return RollbackResult(
        **dict(done),
        release=run.release.name,
        namespace=run.release.namespace,
        to_revision=run.to.number,
        revision=last.number if last else 0,
        changes=tuple(map(view, run.changes)),
    )


def _changing(changes: tuple[ObjectChange, ...]) -> str:
    return f"change {objects([change.key for change in changes])}" if changes else "nothing differs"


@dataclass
class _Run:
    """The steps of one rollback and the data that they share."""

    options: RollbackOptions
    reached: Access
    release: Release
    target: ReleaseRecord
    record: ReleaseRecord
    changes: tuple[ObjectChange, ...] = ()
    confirmed: bool = False
    live: Bodies = field(default_factory=dict)
    began: datetime = context.EPOCH

    @classmethod
    async def prepared(cls, options: RollbackOptions, reached: Access) -> _Run:
        """Prepare a run with its target revision.

        Raises:
            UsageError: There is no such revision, or its pods ran files that are gone.
        """
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        records = await storage.fetch_records(reached.kube, release)
        target = reverting.find_target(records, release, options.number)
        edited_pods.demand_files(target.manifests)
        return cls(options, reached, release, target, records[-1])

    @property
    def to(self) -> Revision:
        """The target revision."""
        return self.target.revision

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects of that revision."""
        return self.target.manifests

    @property
    def kube(self) -> Kube:
        """The cluster's client."""
        return self.reached.kube

    @property
    def change(self) -> str:
        """The change to confirm, in words."""
        unready = _UNREADY.get(self.target.metadata.end, "")
        where = f"revision {self.to.number}{unready}"
        return f"roll {self.release} back to {where}: {_changing(self.changes)}"

    def read_steps(self) -> list[Step]:
        """The steps that only read."""
        return [
            Step("checks", "Cluster", self.check),
            Step("changes", "What changes", self.compare),
        ]

    async def check(self, progress: Progress) -> Done:
        """Run the preflight checks."""
        images = await self.reached.cluster.images()
        detail = await deployable.demand(
            self.kube,
            self.release,
            self.manifests,
            images,
            self.reached.cluster.kind,
            back_to=self.to,
        )
        return Done(changed=False, detail=detail)

    async def compare(self, progress: Progress) -> Done:
        """Compare with the live objects."""
        redactor = await secret_redaction.redactor(self.kube, self.release.namespace)
        preserve_added = self.options.preserve_added
        self.changes, _ = await comparison.preview(
            self.kube, self.manifests, self.record, redactor, preserve_added=preserve_added
        )
        return Done(changed=False, detail=f"{counted(len(self.changes), 'changed object')}")

    async def act(self, listener: Listener, consent: Consent) -> list[StepEnded]:
        """Roll back and follow under the lock; on failure save a report."""
        steps = [
            Step("release", "Helm release", self.revert),
            Step("healthy", "Healthy release", self.follow, ("release",)),
        ]
        async with lease.hold(self.kube, self.release, Progress("release", listener)):
            await self.check_again()
            self.live = await live_objects.bodies(self.kube, self.manifests)
            try:
                return await run_steps(steps, listener)
            except asyncio.CancelledError as cancelled:
                raise await self._interruption().end(cancelled, listener, consent) from cancelled
            except Exception as raised:
                error = failure_handling.as_error(raised)
                if isinstance(error, UsageError):
                    raise
                if await failure_handling.is_api_down(self.kube, error):
                    raise failure_handling.outage_error(self.release, error, "rollback") from raised
                return await self._failed(error).end(listener, rollback=False)

    def _failed(self, error: VrooliError) -> failure_handling.Failed:
        # The diagnosis is imported only on failure.
        from vrooli.diagnosis.failure_report import save  # noqa: PLC0415

        keeping = partial(save, self.kube, self.release, self.manifests)
        before = self.record.revision
        return failure_handling.Failed(
            self.kube, self.release, self.manifests, before, error, keeping, advice=ADVICE
        )

    def _interruption(self) -> interruption.InterruptedChange:
        before = self.record.revision
        where = f"-e {self.options.environment.name} --cluster {self.reached.choice}"
        return interruption.InterruptedChange(
            self.kube,
            self.release,
            self.manifests,
            self.live,
            before,
            self._failed(InterruptError("It was interrupted.")).roll_back,
            f"vrooli rollback {where}",
        )

    async def check_again(self) -> None:
        """Check again under the lock: a deploy may have ended since.

        Raises:
            PrerequisiteError: It has, and the confirmed changes are outdated.
        """
        if self.confirmed and not await storage.is_newest(self.kube, self.release, self.record):
            raise PrerequisiteError(
                f"A deploy of {self.release.name} finished in the meantime; "
                "this rollback changed nothing.",
                "Run the same command again: it shows what it would change now.",
            )

    async def revert(self, progress: Progress) -> Done:
        """Run Helm's rollback."""
        self.began = datetime.now(UTC)
        preserve_added = self.options.preserve_added
        doing = reverting.roll_back(
            self.kube, self.release, self.target, progress, preserve_added=preserve_added
        )
        return await wait.run_unless_hooks_fail(self.kube, self.manifests, progress, doing)

    async def follow(self, progress: Progress) -> Done:
        """Follow the release until every object of it is ready."""
        done = await wait.until_ready(
            self.kube, self.manifests, progress, self.options.timeout_s, since=self.began
        )
        return await bookkeeping.record_healthy(self.kube, self.release, done)
