"""Replace the data of a release's Redis with the dump of a point, after a new point was made."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vrooli import shell
from vrooli.backups import redis_load, targets
from vrooli.backups.points import Point
from vrooli.backups.targets import Recovery
from vrooli.databases.redis.session import Redis
from vrooli.environments import Environment
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener, Progress
from vrooli.grammar import counted, format_bytes
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import advice
from vrooli.workflows.backups.run import BackupOptions, BackupRun
from vrooli.workflows.clusters import access
from vrooli.workflows.results.backups import RedisRestoreResult
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


@dataclass(frozen=True)
class RedisRestoreOptions:
    """The options of a restore of Redis.

    Attributes:
        environment: The environment of the release.
        point: The ID of the point.
        cluster: As ``--cluster`` takes it; None picks one.
        timeout_s: How long the backup before it may take, seconds.
    """

    environment: Environment
    point: str
    cluster: str | None = None
    timeout_s: float = 3600.0


@api_outages.explained(
    "run the same command again. If the data were being loaded, that is completed or "
    "undone in the pod."
)
async def restore_redis(
    options: RedisRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> RedisRestoreResult:
    """Make a point of now, then replace the data of Redis with the dump of an earlier one.

    Raises:
        UsageError: There is no such point, it has no dump, or the confirmation is missing.
        PrerequisiteError: A deploy or a backup runs, or the memory does not suffice.
        VrooliError: The dump could not be loaded.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        kind = BackupOptions(options.environment, options.cluster, timeout_s=options.timeout_s)
        before = await BackupRun.prepared(kind, reached.kube, release)
        recovery = targets.at_point(before.listed, options.point)
        run = _Run(options, before, recovery, _demand_dump(recovery, options.point))
        consent.demand(Action.RESTORE_REDIS, options.environment.name, run.change)
        async with lease.hold(reached.kube, release, Progress("postgres", listener)):
            ended = await run_steps([*before.steps(), *run.steps()], listener)
    done = StepsResult.of(ended, time.monotonic() - began)
    return RedisRestoreResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        point=run.point.id,
        keys=run.keys,
        pause_s=run.pause_s,
        previous_point=before.point.id,
        undo_command=_undo_command(options, before.point.id),
    )


def _demand_dump(recovery: Recovery, name: str) -> Point:
    if recovery.point is None or recovery.point.redis is None:
        raise UsageError(
            f"{name} has no dump of Redis.", "`vrooli backups` shows which points have one."
        )
    return recovery.point


def _undo_command(options: RedisRestoreOptions, point: str) -> str:
    where = advice.same_release(options.environment, options.cluster)
    return f"vrooli restore --point {shell.segment(point)} --only redis {where}"


@dataclass
class _Run:
    """The steps of one restore of Redis and the data that they share."""

    options: RedisRestoreOptions
    before: BackupRun
    recovery: Recovery
    point: Point
    keys: int = 0
    pause_s: float = 0.0

    @property
    def change(self) -> str:
        """The change to confirm, in words."""
        dump = self.point.redis
        what = f"{counted(dump.keys, 'key')}, {format_bytes(dump.size)}" if dump else "none"
        return (
            f"replace the data of Redis of {self.before.release} with that of point "
            f"{self.point.id} ({what}); writes since then are lost"
        )

    def steps(self) -> list[Step]:
        """The steps after those of the new point."""
        return [Step("load", "Redis of the point", self.load, ("record",))]

    async def load(self, progress: Progress) -> Done:
        """Load the dump into the master; its replicas follow."""
        redis = await Redis.of(self.before.kube, self.before.release)
        repository, number = self.before.listed.repository, self.recovery.repository
        progress.report("copies the dump to the master")
        staged = await redis_load.stage(redis, self.point, repository, number)
        progress.report("replaces the data")
        try:
            self.pause_s = await staged.load()
        except VrooliError as error:
            undo = _undo_command(self.options, self.before.point.id)
            back = f"To bring the data of before back, if it was replaced: `{undo}`."
            error.advice = f"{error.advice} {back}".lstrip()
            raise
        keyspace = await redis.info(await redis.master(), "keyspace")
        self.keys = sum(
            int(value.split(",")[0].removeprefix("keys=")) for value in keyspace.values()
        )
        detail = f"{counted(self.keys, 'key')}; writes were refused for {self.pause_s:.1f} s"
        return Done(changed=True, detail=detail)
