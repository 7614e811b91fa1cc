"""What follows a failed deploy: save a report, roll back, and report what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vrooli import inert
from vrooli.chart.manifest import Manifest
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.kube import Kube, NoAnswerError
from vrooli.redaction import Redactor
from vrooli.release import lease, pending, rollback, uninstall
from vrooli.release.model import Release, Revision
from vrooli.release.records import bookkeeping, marks, storage
from vrooli.release.rollout import context, wait
from vrooli.steps import Done, Step, first_error, run_steps

# The timeout of the restored revision to become healthy, seconds.
HEALTHY_S = 600.0
# The timeout of the failure report, seconds.
REPORT_S = 40.0
# The folder of the reports, below the state folder.
REPORTS = "reports"


class DeployFailedError(VrooliError):
    """A deploy failed; the message says why, and the state of the release."""


@dataclass(frozen=True)
class FailureReport:
    """The saved report of a failed deploy.

    Attributes:
        path: The archive.
        failure: Why it failed, without secrets.
        causes: The root causes, in words; may be empty.
    """

    path: Path
    failure: str
    causes: tuple[str, ...] = ()


# Diagnoses the release and saves a report; takes the reason of the failure.
CollectReport = Callable[[str], Awaitable[FailureReport]]


@dataclass(frozen=True)
class Failed:
    """A deploy that failed.

    Attributes:
        kube: The cluster.
        release: The release.
        desired: The objects that were deployed.
        before: The revision before, or None at a first installation.
        error: Why it failed.
        collect: Saves the report and finds the root causes.
        earlier: The objects of an earlier deploy that was killed; some may exist.
        advice: What to do next.
        undo: Restores what was changed beside Helm's objects, after a rollback of these.
        to_before: Whether a rollback restores the revision before even if it was not ready.
    """

    kube: Kube
    release: Release
    desired: Sequence[Manifest]
    before: Revision | None
    error: VrooliError
    collect: CollectReport
    earlier: tuple[Manifest, ...] = ()
    advice: str = "Fix the reported error, rebuild the artifact, and deploy it."
    undo: Callable[[], Awaitable[None]] | None = None
    to_before: bool = False

    async def end(self, listener: Listener, *, rollback: bool) -> list[StepEnded]:
        """Save the report and, with ``rollback``, restore the previous state.

        Raises:
            DeployFailedError: Always.
        """
        reports: list[FailureReport] = []
        unmarked = await mark_failed(self.kube, self.release, self.before, self.error.message)
        state = f"{self.release.name} is left as it is."

        async def report(progress: Progress) -> Done:
            """Save the report; an error here does not prevent the rollback."""
            try:
                async with asyncio.timeout(REPORT_S):
                    reports.append(await self.collect(self.error.message))
            except TimeoutError:
                return Done(changed=False, detail=f"could not be saved within {REPORT_S:.0f} s")
            except Exception as raised:  # noqa: BLE001 - an internal error must not prevent the rollback
                return Done(changed=False, detail=f"could not be saved: {as_error(raised).message}")
            return Done(changed=True, detail=str(reports[0].path))

        steps = [Step("evidence", "Evidence", report)]
        if rollback:
            steps.append(Step("rollback", "Rollback", self.roll_back, ("evidence",)))
        try:
            ended = await run_steps(steps, listener)
            if rollback:
                state = f"{self.release.name} {ended[-1].detail}."
            else:  # a rollback prunes by itself
                await bookkeeping.prune(self.kube, self.release)
        except Exception as second:  # noqa: BLE001 - the first failure must be reported as well
            state = f"The rollback failed, too: {as_error(second).message}"
        message = reports[0].failure if reports else Redactor().text(self.error.message)
        where = [f"The evidence is in {item.path}." for item in reports]
        causes = [inert.line(f"Root cause: {cause}") for item in reports for cause in item.causes]
        raise DeployFailedError(
            "\n".join(filter(None, [message, state, unmarked, *where, *causes])),
            self.advice,
        ) from self.error

    async def roll_back(self, progress: Progress) -> Done:
        """Restore an earlier revision; without one, uninstall all but the data."""
        began = datetime.now(UTC)
        if self.before is None:
            removed = await uninstall.remove(self.kube, self.release, progress)
            removal = "did not exist before and was uninstalled again"
            return Done(changed=True, detail=removal + _format_retained(removed.retained))
        await self._end_hooks()
        records = await storage.fetch_records(self.kube, self.release)
        number = self.before.number
        is_newer = bool(records) and records[-1].revision.number != number
        if is_newer or self.earlier:
            last_ready = is_newer and not self.to_before
            target = rollback.find_target(records, self.release, None if last_ready else number)
            number = target.revision.number
            await rollback.roll_back(self.kube, self.release, target, progress)
        if self.undo is not None:
            await self.undo()
        recorded = await storage.fetch_manifests(self.kube, self.release)
        await pending.delete_leftovers(self.kube, self.release, self.earlier, recorded, progress)
        await wait.until_ready(self.kube, recorded, progress, HEALTHY_S, since=began)
        done = Done(changed=True, detail=f"is healthy again with the objects of revision {number}")
        return await bookkeeping.record_healthy(self.kube, self.release, done)

    async def _end_hooks(self) -> None:
        """Delete failed hooks: Helm keeps them, and their Jobs would retry."""
        for hook in context.hooks(self.desired):
            await self.kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)


def as_error(raised: Exception) -> VrooliError:
    """The error of a failed change; an exception that was not raised on purpose is an internal one.

    A deploy that an internal error ends is rolled back like any other: the change was made.
    """
    error = first_error(raised)
    if isinstance(error, VrooliError):
        return error
    if isinstance(error, OSError):
        return VrooliError(str(error))
    reason = f"{type(error).__name__}: {error}".removesuffix(": ")
    return VrooliError(f"Internal error: {reason}", "Run the command with --debug for details.")


async def is_api_down(kube: Kube, error: VrooliError) -> bool:
    """Whether the API server did not respond: then nothing can be saved or undone.

    It may respond again by now; a missing response says nothing about the release.
    """
    return isinstance(error, NoAnswerError) or not await kube.healthy()


def outage_error(release: Release, error: VrooliError, doing: str) -> PrerequisiteError:
    """The error for a cluster that stops responding during a deploy or a rollback."""
    return PrerequisiteError(
        f"The API server stopped responding during the {doing}: {error.message}\n"
        f"{release.name} is left as it is.",
        "When it is back, run the same command again: it continues where it stopped.",
    )


async def mark_failed(kube: Kube, release: Release, before: Revision | None, reason: str) -> str:
    """Mark the revision that was made since as failed: Helm's status may be "deployed".

    Without the release's Lease the newest revision may be another deploy's; it is not changed.

    Returns:
        Why it could not be marked; empty if it was, or if there is no such revision.
    """
    try:
        now = await storage.fetch_revision(kube, release)
        if now is None or (before is not None and now.number == before.number):
            return ""
        if await lease.is_ours(kube, release):
            await marks.mark_failed(kube, release, now, reason)
    except Exception as raised:  # noqa: BLE001 - an error here must not prevent the rollback
        problem = Redactor().text(as_error(raised).message)
        return f"The revision could not be marked as failed: {problem}"
    return ""


def _format_retained(reports: Sequence[str]) -> str:
    """Describe what remains of an uninstalled release, and how to delete it."""
    if not reports:
        return ""
    return (
        f", except for {', '.join(reports)}: the next deploy uses them again, `vrooli uninstall "
        "--delete-data` deletes them"
    )
