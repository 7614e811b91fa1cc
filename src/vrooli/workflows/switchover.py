"""Switch a database over to another pod: check, confirm, switch, verify."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from vrooli.databases.model import Plan, Switched
from vrooli.databases.postgres import switchover as postgres_switchover
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis import switchover as redis_switchover
from vrooli.databases.redis.session import Redis
from vrooli.environments import Environment
from vrooli.events import Listener, Progress, StepEnded
from vrooli.kube import Kube
from vrooli.release import Release, lease
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.databases import SwitchoverResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


class Database(StrEnum):
    """The databases of a release."""

    POSTGRES = "postgres"
    REDIS = "redis"


@dataclass(frozen=True)
class SwitchoverOptions:
    """The options of switchover.

    Attributes:
        environment: The environment of the release.
        database: The database.
        to: The pod that accepts writes afterwards; empty takes the best one.
        cluster: As ``--cluster`` takes it; None picks one.
    """

    environment: Environment
    database: Database
    to: str = ""
    cluster: str | None = None


@dataclass(frozen=True)
class _Acts:
    """The switchover of one database."""

    plan: Callable[[str, Progress], Awaitable[Plan]]
    switch_over: Callable[[Plan, Progress], Awaitable[Switched]]
    await_followers: Callable[[str, Progress], Awaitable[None]]


@api_outages.explained("run the same command again: it shows the result, and continues.")
async def switchover(
    options: SwitchoverOptions, listener: Listener, consent: Consent = CONFIRMED
) -> SwitchoverResult:
    """Make another pod of a database accept the writes.

    Raises:
        UsageError: There is no such pod, or the confirmation is missing.
        PrerequisiteError: There is no replica, one is unhealthy or lags, or a deploy runs.
        InterruptError: The user declined.
        VrooliError: The database refused the switchover, or a pod does not follow it.
    """
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        run = _Run(options, release, await _acts(options.database, reached.kube, release))
        await run.check(listener)
        if run.plan.is_needed:
            consent.demand(Action.SWITCHOVER, options.environment.name, run.format_change())
            async with lease.hold(reached.kube, release, Progress("switchover", listener)):
                await run.act(listener)
        return run.result()


class _Run:
    """One switchover."""

    def __init__(self, options: SwitchoverOptions, release: Release, acts: _Acts) -> None:
        self._options, self._release, self._acts = options, release, acts
        self._began = time.monotonic()
        self._ended: list[StepEnded] = []
        self._switched: Switched | None = None
        self.plan = Plan("", "")

    async def check(self, listener: Listener) -> None:
        """Check that a switchover is possible."""

        async def check(progress: Progress) -> Done:
            self.plan = await self._acts.plan(self._options.to, progress)
            if not self.plan.is_needed:
                return Done(False, f"{self.plan.current} accepts the writes already")
            return Done(False, f"{self.plan.current} accepts the writes, all replicas are in sync")

        self._ended += await run_steps([Step("replicas", "Replicas in sync", check)], listener)

    async def act(self, listener: Listener) -> None:
        """Switch over and verify, under the lock; the state may have changed since the check."""

        async def switch_over(progress: Progress) -> Done:
            self.plan = await self._acts.plan(self.plan.target, progress)
            if not self.plan.is_needed:
                return Done(False, f"{self.plan.current} accepts the writes already")
            self._switched = await self._acts.switch_over(self.plan, progress)
            pause_s = self._switched.pause_s
            return Done(True, f"{self._switched.pod}, writes paused for {pause_s:.1f} s")

        async def follow(progress: Progress) -> Done:
            await self._acts.await_followers(self._current, progress)
            return Done(False, f"all replicas follow {self._current}")

        steps = [
            Step("switchover", "Switchover", switch_over),
            Step("followers", "Replicas of the new pod", follow, ("switchover",)),
        ]
        self._ended += await run_steps(steps, listener)

    def format_change(self) -> str:
        """What will be done, for the prompt."""
        target = self.plan.target or "the replica that Sentinel chooses"
        return (
            f"switch {self._options.database} of {self._release.name} over from "
            f"{self.plan.current} to {target}; writes pause for some seconds"
        )

    @property
    def _current(self) -> str:
        return self._switched.pod if self._switched else self.plan.current

    def result(self) -> SwitchoverResult:
        """The result of the command."""
        steps = StepsResult.of(self._ended, time.monotonic() - self._began)
        return SwitchoverResult(
            **dict(steps),
            release=self._release.name,
            namespace=self._release.namespace,
            database=self._options.database.value,
            previous=self.plan.current,
            current=self._current,
            pause_s=round(self._switched.pause_s, 3) if self._switched else 0.0,
        )


async def _acts(database: Database, kube: Kube, release: Release) -> _Acts:
    if database is Database.REDIS:
        redis = await Redis.of(kube, release)
        return _Acts(
            lambda to, progress: redis_switchover.plan(redis, to, progress),
            lambda plan, progress: redis_switchover.switch_over(redis, plan, progress),
            lambda pod, progress: redis_switchover.await_followers(redis, pod, progress),
        )
    postgres = await Postgres.of(kube, release)
    return _Acts(
        lambda to, progress: postgres_switchover.plan(postgres, to, progress),
        lambda plan, progress: postgres_switchover.switch_over(postgres, plan, progress),
        lambda pod, progress: postgres_switchover.await_followers(postgres, pod, progress),
    )
