"""Give the databases of a release larger volumes, and keep their size for the next deploys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from vrooli.backups import outages, restored
from vrooli.backups.outages import Outage
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.checks import preflight
from vrooli.checks.data import changes
from vrooli.checks.nodes import capacity
from vrooli.databases.model import Switched
from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import growth
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis import growth as redis_growth
from vrooli.databases.redis.session import Redis
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Listener, Progress
from vrooli.grammar import counted
from vrooli.kube import ApiError
from vrooli.kube.objects import Body, dig, name, text
from vrooli.operators.pgo import names
from vrooli.operators.volumes import Purpose
from vrooli.release import lease, overrides
from vrooli.release.model import DEPLOYED, Release
from vrooli.release.overrides import Overrides
from vrooli.steps import Done, Step
from vrooli.workflows.change_view import override_view, view
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.releases import GrowResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent
from vrooli.workflows.scaling.growth_plan import (
    KINDS,
    Data,
    Growth,
    demand_size,
    fetch_claims,
    is_smaller,
    plan,
    size_of,
)
from vrooli.workflows.scaling.values_change import (
    Deployed,
    Edit,
    ValuesChange,
    ValuesOptions,
    carry_out,
    deployed,
)

POLL_S = 1.0


@api_outages.explained()
async def grow(
    options: ValuesOptions,
    data: Data,
    size: str,
    listener: Listener,
    consent: Consent = CONFIRMED,
) -> GrowResult:
    """Give volumes a larger size and wait until they have it.

    Args:
        options: Which release, and how long it may take.
        data: Whose volumes grow.
        size: The size of each volume, such as 5Gi.
        listener: Receives what happens.
        consent: How it is confirmed.

    Raises:
        UsageError: The size is not valid, or smaller than the present one.
        PrerequisiteError: The release isn't deployed, a deploy runs, the node has no room, or the
            storage class can't expand volumes that can't be replaced.
        DeployFailedError: The release did not become ready; the same command continues.
    """
    began = time.monotonic()
    demand_size(size)
    async with deployed(replace(options, rollback=False)) as state:
        await lease.demand_free(state.reached.kube, state.release)
        planned = await plan(state, data, size)
        run = _Growing(replace(options, rollback=False), state, planned)
        ended = await carry_out(run, Action.GROW, listener, consent)
        stored = await overrides.fetch(run.kube, run.release)
    return run.result(StepsResult.of(ended, time.monotonic() - began), stored)


class _Growing(ValuesChange):
    """The steps of one growth."""

    advice = "Fix the reported error, and run the same command again: it continues."

    def __init__(self, options: ValuesOptions, state: Deployed, planned: Growth) -> None:
        self.planned, self.pause_s, self.state = planned, 0.0, state
        self.outage: Outage | None = None
        path = KINDS[planned.data].path
        command = f"vrooli grow {planned.data} {planned.size} -e {options.environment.name}"
        edit = Edit(command, {path: planned.size}) if planned.size != planned.before else Edit("")
        way = "replace" if planned.replaces else "expand"
        count = counted(len(planned.claims), "volume")
        summary = f"{way} {count} of {planned.data} of {state.release} to {planned.size} each"
        super().__init__(options, state, edit, summary)
        if planned.replaces:  # this is what the check refuses of a deploy
            self.skipped_checks = (changes.NAME,)

    def result(self, done: StepsResult, stored: Overrides) -> GrowResult:
        """The result of the steps, with the overrides that the release has now."""
        return GrowResult(
            **dict(done),
            environment=self.options.environment.name,
            release=self.release.name,
            namespace=self.release.namespace,
            data=self.planned.data.value,
            before=self.planned.before,
            after=self.planned.size,
            replaced=self.planned.replaces,
            pause_s=round(self.pause_s, 3),
            revision=self.applied.revision,
            changes=tuple(map(view, self.changes)),
            overrides=tuple(map(override_view, stored.entries)),
        )

    @property
    def change(self) -> str:
        """The change to confirm, in words; empty if there is nothing to do."""
        return self.summary if self.planned.smaller or self.planned.replaces else super().change

    def act_steps(self) -> list[Step]:
        """The steps of the release, with the volumes between Helm and the rollout."""
        release, healthy = super().act_steps()
        grown = Step("volumes", "Volumes", self.grow_volumes, (release.name,))
        steps = [release, grown, replace(healthy, after=(grown.name,))]
        if self.outage is None:
            return steps
        expanded = Step("expansion", "PostgreSQL", self.expand_first)
        return [expanded, replace(release, after=(expanded.name,)), *steps[1:]]

    async def check(self, progress: Progress) -> Done:
        """Run the preflight checks, and check that the nodes have room for a replacement."""
        self.outage = await self._find_outage()
        if self.outage is not None and self.planned.replaces:
            raise _outage_error(self.state.release, self.outage)
        done = await super().check(progress)
        if self.planned.replaces and self.planned.data is Data.POSTGRES:
            await self._demand_no_restore()
            instances = self.planned.instances
            await self._demand_capacity(instances + 1)
            await growth.demand_room(await self._postgres(), self.planned.size, instances)
        return done

    async def apply(self, progress: Progress) -> Done:
        """Run Helm, but not again in a replacement: it would reset the number of instances."""
        if self.planned.replaces and not self.is_new and self._is_applied():
            self.began = datetime.now(UTC)
            return Done(changed=False, detail=f"{self.planned.size} is deployed")
        return await super().apply(progress)

    def _is_applied(self) -> bool:
        """Whether Helm's record requests the instances that these values do."""
        if self.record is None or self.record.revision.status != DEPLOYED:
            return False
        recorded, desired = (
            [dig(item.body, "spec", "instances") for item in found if item.kind == names.KIND]
            for found in (self.record.manifests, self.manifests)
        )
        return recorded == desired

    async def _demand_capacity(self, instances: int) -> None:
        more = chart_values.merge(self.values, {"pgoPostgresql": {"instances": instances}})
        manifests = await asyncio.to_thread(
            engine.render,
            more,
            release=self.release.name,
            namespace=self.release.namespace,
            chart=self.package,
        )
        findings = await preflight.run(
            self.kube, self.release.namespace, manifests, checks=(capacity.CHECK,)
        )
        preflight.demand([item for item in findings if item.resource.endswith(" instance")])

    async def _demand_no_restore(self) -> None:
        """Refuse to delete volumes that keep the data of before a restore."""
        if record := await restored.fetch(await self._postgres()):
            raise PrerequisiteError(
                f"The volumes would be replaced, but they keep the previous data: {record.note}.",
                "End the restore first, then grow PostgreSQL.",
            )

    async def _postgres(self) -> Postgres:
        return await Postgres.of(self.kube, self.release)

    async def _find_outage(self) -> Outage | None:
        """Why PostgreSQL does not answer; None if it does, or if that may not be read."""
        if self.planned.data is not Data.POSTGRES or not self.planned.claims:
            return None
        try:
            return await outages.find(await self._postgres())
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return None

    async def expand_first(self, progress: Progress) -> Done:
        """Expand the volumes before Helm, whose hooks may need a PostgreSQL that answers.

        Raises:
            WaitTimeoutError: PostgreSQL does not answer with the larger volumes, either.
        """
        postgres = await self._postgres()
        await growth.set_size(postgres, self.planned.size)
        await self._await_expanded(progress)

        async def silence() -> str:
            outage = await outages.find(postgres)
            return outage.reason if outage else ""

        limit_s = self.options.timeout_s
        if reason := await poll_reason(silence, limit_s, progress, interval_s=POLL_S):
            raise WaitTimeoutError(
                f"The volumes have {self.planned.size}, but PostgreSQL does not answer within "
                f"{limit_s:.0f} s: {reason}",
                "Run `vrooli diagnose` to find the cause, then the same command again.",
            )
        return Done(changed=True, detail=f"it answers with {self.planned.size}")

    async def grow_volumes(self, progress: Progress) -> Done:
        """Replace the volumes, or wait until the storage class has expanded them."""
        if not self.planned.smaller and not self.planned.replaces:
            return Done(changed=False, detail=f"all have {self.planned.size}")
        if self.planned.replaces:
            switched = await self._replace(progress)
            self.pause_s = 0.0 if switched is None else switched.pause_s
            count = counted(len(self.planned.smaller), "volume")
            detail = f"{count} replaced, writes paused {self.pause_s:.1f} s"
            return Done(changed=True, detail=detail)
        await self._await_expanded(progress)
        return Done(changed=True, detail=f"{counted(len(self.planned.claims), 'volume')} expanded")

    async def _replace(self, progress: Progress) -> Switched | None:
        """Replace the volumes; returns the switchover, if there was one."""
        size, limit_s = self.planned.size, self.options.timeout_s
        if self.planned.data is Data.REDIS:
            redis = await Redis.of(self.kube, self.release)
            replacement = redis_growth.Replacement(redis, size, limit_s)
            await replacement.run(progress)
            return replacement.switched
        postgres = await self._postgres()
        instances = growth.Replacement(postgres, size, limit_s)
        await instances.run(self.planned.instances, progress)
        return instances.switched

    async def _await_expanded(self, progress: Progress) -> None:
        """Wait until each volume and its file system have the size.

        Raises:
            WaitTimeoutError: One does not in time.
        """

        async def unexpanded() -> str:
            return self._unexpanded(await fetch_claims(self.kube, self.state, self._purpose))

        limit_s = self.options.timeout_s
        if reason := await poll_reason(unexpanded, limit_s, progress, interval_s=POLL_S):
            raise WaitTimeoutError(
                f"The volumes were not expanded within {limit_s:.0f} s: {reason}.",
                f"See why: `kubectl describe pvc -n {self.release.namespace}`.",
            )

    @property
    def _purpose(self) -> Purpose:
        return KINDS[self.planned.data].purpose

    def _unexpanded(self, claims: Sequence[Body]) -> str:
        """Why volumes do not have the size yet; empty if all have."""
        for claim in claims:
            if is_smaller(size_of(claim), self.planned.size):
                conditions = claim.get("status", {}).get("conditions") or []
                states = [text(item, "type") for item in conditions if item["status"] == "True"]
                state = f" ({', '.join(states)})" if states else ""
                return f"{name(claim)} has {size_of(claim)}{state}"
        return ""


def _outage_error(release: Release, outage: Outage) -> PrerequisiteError:
    return PrerequisiteError(
        f"PostgreSQL of {release} does not answer, and its volumes cannot be expanded: larger ones "
        f"are filled from a primary. {outage.reason.rstrip('.')}. Nothing was changed.",
        "Free space on the disk of the volumes, so that PostgreSQL starts, then run the same "
        "command again. To read the data meanwhile: `vrooli restore --to latest --into NAMESPACE`.",
    )
