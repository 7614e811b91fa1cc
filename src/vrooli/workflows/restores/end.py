"""End a restore of PostgreSQL in place: delete the data of before, or bring them back."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vrooli.backups import listing, restored
from vrooli.backups.data_directories import DataDirectories, Exchanged, State
from vrooli.backups.listing import Listing
from vrooli.backups.restored import Phase, Restored
from vrooli.databases.postgres import replication
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener, Progress
from vrooli.kube import Kube
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.steps import Done, Step, StepEnded, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.restores import switch
from vrooli.workflows.restores.postgres import PostgresRestoreOptions
from vrooli.workflows.results.backups import PostgresRestoreEndResult
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


@api_outages.explained()
async def finish_restore(
    options: PostgresRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> PostgresRestoreEndResult:
    """Delete the data of before a restore.

    Raises:
        PrerequisiteError: There is no restore to finish, or a deploy runs.
        VrooliError: They could not be deleted; the same command continues.
    """
    return await _end(options, listener, consent, undo=False)


@api_outages.explained()
async def undo_restore(
    options: PostgresRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> PostgresRestoreEndResult:
    """Bring the data of before a restore back, and delete the restored ones.

    Raises:
        PrerequisiteError: There is no restore to undo, or another pod is the primary.
        VrooliError: It failed; the same command continues.
    """
    return await _end(options, listener, consent, undo=True)


async def _end(
    options: PostgresRestoreOptions, listener: Listener, consent: Consent, *, undo: bool
) -> PostgresRestoreEndResult:
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        ending = await _prepared(options, reached.kube, release)
        ending.demand_possible(undo=undo)
        action = Action.UNDO_RESTORE if undo else Action.FINISH_RESTORE
        consent.demand(action, options.environment.name, ending.change(undo=undo))
        async with lease.hold(reached.kube, release, Progress("data", listener)):
            await ending.demand_unchanged()
            ended = await ending.run(listener, undo=undo)
    done = StepsResult.of(ended, time.monotonic() - began)
    return PostgresRestoreEndResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        is_undone=undo,
        moment=ending.record.moment if ending.record else None,
        pause_s=ending.pause_s,
        aside=ending.aside,
    )


async def _prepared(options: PostgresRestoreOptions, kube: Kube, release: Release) -> _Ending:
    listed = await listing.fetch(kube, release)
    postgres = listed.repository.postgres
    record = await restored.fetch(postgres)
    pod = record.pod if record else (await postgres.primary()).pod
    directories = DataDirectories(postgres, pod)
    if not any(item.pod == pod for item in await postgres.instances()):
        raise PrerequisiteError(
            f"Pod {pod} of {release}, whose volume has the data of before, does not exist.",
            "Wait until it runs. If its instance was removed with the volume, the data are gone: "
            f"`kubectl delete configmap {restored.name_of(postgres.name)} -n {release.namespace}`.",
        )
    return _Ending(
        release, listed, directories, record, await directories.state(), options.timeout_s
    )


@dataclass
class _Ending:
    """The steps of an end and the data that they share."""

    release: Release
    listed: Listing
    directories: DataDirectories
    record: Restored | None
    state: State
    timeout_s: float
    pause_s: float = 0.0
    aside: str = ""

    @property
    def postgres(self) -> Postgres:
        return self.directories.postgres

    def demand_possible(self, *, undo: bool) -> None:
        """Refuse an end without a restore, and one that has not switched if it is to be finished.

        Raises:
            PrerequisiteError: There is nothing to end.
        """
        if self.record is None and self.state == State():
            raise PrerequisiteError(
                f"There is no restore of PostgreSQL of {self.release} to "
                f"{'undo' if undo else 'finish'}.",
                "To restore a moment: `vrooli restore --to TIME`.",
            )
        is_undone = self.record is not None and self.record.phase is Phase.UNDOING
        if not undo and self.state.is_exchanging and is_undone:
            raise PrerequisiteError(
                f"The restore of PostgreSQL of {self.release} is being undone.",
                "Run `vrooli restore --undo` again.",
            )
        if not undo and self.state.is_built and not self.state.is_exchanging:
            raise PrerequisiteError(
                f"PostgreSQL of {self.release} has restored data that are not live.",
                "Delete them with `vrooli restore --undo`, then restore again.",
            )

    def change(self, *, undo: bool) -> str:
        """The change to confirm, in words."""
        what = str(self.record) if self.record else "a restore"
        if not undo and self.state.is_exchanging:
            return f"complete {what} of PostgreSQL of {self.release}, and delete the data of before"
        if not undo:
            return f"delete the data of before {what} of PostgreSQL of {self.release}"
        if not (self.state.is_switched or self.state.is_exchanging):
            return f"delete the data of {what} of PostgreSQL of {self.release}, which are not live"
        return (
            f"bring the data of before {what} back to PostgreSQL of {self.release}; writes since "
            "the switch are lost"
        )

    async def demand_unchanged(self) -> None:
        """Refuse to go on if another command has changed the restore during the prompt.

        Raises:
            PrerequisiteError: It has.
        """
        if (await restored.fetch(self.postgres), await self.directories.state()) != (
            self.record,
            self.state,
        ):
            raise PrerequisiteError(
                "Another command has changed this restore in the meantime; nothing was changed.",
                "Run the same command again.",
            )

    async def run(self, listener: Listener, *, undo: bool) -> list[StepEnded]:
        """Run the steps."""
        delete = self.discard if undo else self.finish
        if not (self.state.is_exchanging or (undo and self.state.is_switched)):
            steps = [Step("data", "Data", delete)]
            if await self._is_cut_off():
                steps += self._next_steps("data", undo=undo)
            return await run_steps(steps, listener)
        switch = self.switch_back if undo else self.complete
        steps = [
            Step("switch", "Switch", switch),
            *self._next_steps("switch", undo=undo),
            Step("data", "Data", delete, ("replicas",)),
        ]
        return await run_steps(steps, listener)

    async def _is_cut_off(self) -> bool:
        """Whether a command was killed after its switch, before the replicas followed."""
        if self.record is None or not self.record.is_live:
            return False
        primary = (await self.postgres.primary()).pod
        if primary != self.directories.pod:
            return False
        return bool(replication.first_problem(await replication.fetch_all(self.postgres, primary)))

    def _next_steps(self, after: str, *, undo: bool) -> list[Step]:
        # A replica that was promoted in the middle of an exchange has the data of before it.
        is_bound = not (undo and self.state.is_exchanging)
        return switch.next_steps(
            self.listed, self.directories, self.timeout_s, after=after, is_bound=is_bound
        )

    async def complete(self, progress: Progress) -> Done:
        """Complete an exchange that was interrupted."""
        return await self._continue(self.directories.switch, progress)

    async def switch_back(self, progress: Progress) -> Done:
        """Make the previous data live, also in the middle of an exchange that was interrupted."""
        if self.state.is_exchanging:
            return await self._continue(self.directories.undo, progress)
        await self._demand_primary()
        progress.report("gives the previous data the present roles and passwords")
        await self.directories.prepare(undo=True)
        if self.record is not None:
            await restored.store(self.postgres, self.record.in_phase(Phase.UNDOING))
        progress.report("exchanges the data")
        self.pause_s = await switch.exchange(self.postgres, self.directories.undo)
        return Done(changed=True, detail=f"no write was acknowledged for {self.pause_s:.1f} s")

    async def _continue(
        self, exchange: Callable[[], Awaitable[Exchanged]], progress: Progress
    ) -> Done:
        progress.report("continues the exchange that was interrupted")
        self.aside = (await exchange()).aside
        await switch.await_writable(self.postgres, progress)
        return Done(changed=True, detail="the exchange was continued")

    async def _demand_primary(self) -> None:
        primary = (await self.postgres.primary()).pod
        if primary != self.directories.pod:
            raise PrerequisiteError(
                f"The data of before are in the volume of {self.directories.pod}, but {primary} is "
                "the primary. Nothing was changed.",
                f"Run `vrooli switchover postgres --to {self.directories.pod}` first.",
            )

    async def discard(self, progress: Progress) -> Done:
        """Delete the restored data and the record."""
        progress.report("deletes the restored data")
        await self.directories.discard()
        await restored.remove(self.postgres)
        return Done(changed=True, detail="the restored data were deleted")

    async def finish(self, progress: Progress) -> Done:
        """Delete the previous data and the record."""
        progress.report("deletes the data of before")
        await self.directories.finish()
        await restored.remove(self.postgres)
        return Done(changed=True, detail="the data of before were deleted")
