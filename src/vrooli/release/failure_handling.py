"""The end of a deploy that can't succeed: keep the evidence, go back, say what was done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vrooli.chart.manifest import Manifest
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.kube import Kube, NoAnswerError
from vrooli.redaction import Redactor
from vrooli.release import lease, pending, rollback, uninstall
from vrooli.release.model import Release, Revision
from vrooli.release.records import bookkeeping, marks, storage
from vrooli.release.rollout import context, wait
from vrooli.steps import Done, Step, first_error, message_of, run_steps

# How long the old state may take to be healthy again, seconds.
HEALTHY_S = 600.0
# How long looking at all of it may take, seconds.
REPORT_S = 40.0
# Where reports are kept, below the state folder.
REPORTS = "reports"


class DeployFailedError(VrooliError):
    """A deploy did not succeed; the message says why, and what state the release is in."""


@dataclass(frozen=True)
class FailureReport:
    """What was kept of a deploy that failed.

    Attributes:
        path: The archive that holds it.
        failure: Why it failed, without secrets.
        causes: The root causes that were found, in words; none where nothing was.
    """

    path: Path
    failure: str
    causes: tuple[str, ...] = ()


# Looks at the release and keeps what it sees; given why the deploy failed.
CollectReport = Callable[[str], Awaitable[FailureReport]]


@dataclass(frozen=True)
class Failed:
    """A deploy that failed.

    Attributes:
        kube: The cluster.
        release: What was deployed.
        wanted: The objects that it should have had.
        before: The revision before, or None at a first installation.
        error: Why it failed.
        keep: Keeps the evidence and finds the causes.
        cut: The objects of a deploy that was killed before this one; some may be there.
        advice: What the person can do about it.
    """

    kube: Kube
    release: Release
    desired: Sequence[Manifest]
    before: Revision | None
    error: VrooliError
    collect: CollectReport
    earlier: tuple[Manifest, ...] = ()
    advice: str = "Correct what it says, build the artifact anew, and deploy that."

    async def end(self, listener: Listener, *, rollback: bool) -> list[StepEnded]:
        """Write the report and then, with ``rollback``, bring the old state back.

        Raises:
            DeployFailedError: Always.
        """
        reports: list[FailureReport] = []
        await mark_failed(self.kube, self.release, self.before, self.error.message)
        state = f"{self.release.name} is left as it is."

        async def report(progress: Progress) -> Done:
            """Whatever stands in its way, the old state is brought back."""
            try:
                async with asyncio.timeout(REPORT_S):
                    reports.append(await self.collect(self.error.message))
            except TimeoutError:
                return Done(changed=False, detail=f"could not be kept within {REPORT_S:.0f} s")
            except Exception as raised:  # noqa: BLE001 - a fault of ours ends no way back
                error = first_error(raised)
                return Done(changed=False, detail=f"could not be kept: {message_of(error)}")
            return Done(changed=True, detail=str(reports[0].path))

        steps = [Step("evidence", "Evidence", report)]
        if rollback:
            steps.append(Step("rollback", "Rollback", self.roll_back, ("evidence",)))
        try:
            ended = await run_steps(steps, listener)
            if rollback:
                state = f"{self.release.name} {ended[-1].detail}."
            else:  # going back prunes by itself; what can't be deleted now goes with the next one
                await bookkeeping.prune(self.kube, self.release)
        except VrooliError as second:
            state = f"Going back failed, too: {second.message}"
        message = reports[0].failure if reports else Redactor().text(self.error.message)
        where = [f"The evidence is in {item.path}." for item in reports]
        causes = [f"The cause: {cause}" for item in reports for cause in item.causes]
        raise DeployFailedError(
            "\n".join([message, state, *where, *causes]),
            self.advice,
        ) from self.error

    async def roll_back(self, progress: Progress) -> Done:
        """The last revision that ran; without one nothing, but the data that the chart keeps."""
        began = datetime.now(UTC)
        if self.before is None:
            removed = await uninstall.remove(self.kube, self.release, progress)
            removal = "was not there before, and is taken away again"
            return Done(changed=True, detail=removal + _format_retained(removed.retained))
        await self._end_hooks()
        records = await storage.fetch_records(self.kube, self.release)
        number = self.before.number
        is_newer = bool(records) and records[-1].revision.number != number
        if is_newer or self.earlier:
            target = rollback.find_target(records, self.release, None if is_newer else number)
            number = target.revision.number
            await rollback.roll_back(self.kube, self.release, target, progress)
        recorded = await storage.fetch_manifests(self.kube, self.release)
        await pending.delete_leftovers(self.kube, self.release, self.earlier, recorded, progress)
        await wait.until_ready(self.kube, recorded, progress, HEALTHY_S, since=began)
        done = Done(changed=True, detail=f"is healthy again with what revision {number} had")
        return await bookkeeping.record_healthy(self.kube, self.release, done)

    async def _end_hooks(self) -> None:
        """Helm leaves a hook that failed: it would be tried again and again, for nobody."""
        for hook in context.hooks(self.desired):
            await self.kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)


async def is_api_down(kube: Kube, error: VrooliError) -> bool:
    """Whether the API server didn't answer: nothing can be kept or undone then.

    It may answer again by now; what it didn't answer says nothing of the release.
    """
    return isinstance(error, NoAnswerError) or not await kube.healthy()


def outage_error(release: Release, error: VrooliError, doing: str) -> PrerequisiteError:
    """The cluster is gone in the middle of a deploy or a rollback."""
    return PrerequisiteError(
        f"The cluster went away in the middle of the {doing}: {error.message}\n"
        f"{release.name} is left as it is.",
        "When it is back, run the same command again: it continues where it stopped.",
    )


async def mark_failed(kube: Kube, release: Release, before: Revision | None, reason: str) -> None:
    """Note that the revision made since never became ready: Helm may call it deployed.

    Without the release's Lease the newest revision may be another deploy's, and isn't touched.
    """
    with contextlib.suppress(VrooliError):  # says nothing that the failure doesn't say better
        now = await storage.fetch_revision(kube, release)
        if now is None or (before is not None and now.number == before.number):
            return
        if await lease.is_ours(kube, release):
            await marks.mark_failed(kube, release, now, reason)


def _format_retained(reports: Sequence[str]) -> str:
    """What is left of a release that was taken away, and what becomes of it, in words."""
    if not reports:
        return ""
    return (
        f", except for {', '.join(reports)}: the next deploy uses them again, `vrooli uninstall "
        "--delete-data` takes them away"
    )
