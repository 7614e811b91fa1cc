"""A planned switchover of PostgreSQL by Patroni, without changes to the PostgresCluster.

PGO's own way needs a field and an annotation of the PostgresCluster, which stay there and conflict
with its source; `patronictl` in the pod works with all versions of PGO and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from vrooli.databases.model import Plan, Switched
from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import patroni, pool, replication
from vrooli.databases.postgres.replication import Replica
from vrooli.databases.postgres.session import Instance, Postgres
from vrooli.databases.postgres.write_probe import WriteProbe, probing
from vrooli.errors import PrerequisiteError, UsageError, VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.concurrency import gather_limited

# How long replicas may take to catch up before a switchover, seconds.
CATCH_UP_S = 30.0
# The longest pause of the pool, and the limits of the checkpoint and of the promotion, seconds. New
# sessions wait in the pool for at most two minutes (query_wait_timeout of pgBouncer).
PAUSE_S, CHECKPOINT_S, PROMOTED_S = 60.0, 90.0, 90.0
# How long the former primary may take to follow the new one, seconds; it may need pg_rewind.
FOLLOW_S = 180.0
PROBE_S = 15.0
# Source of the text: api.py of Patroni.
SWITCH_OVER = patroni.Command(
    'patronictl switchover --scheduled=now --force --candidate "$1"', "switched over", limit_s=90.0
)
# Ends when the instance has left recovery; a loop of requests from here would be slower.
_WRITABLE = "DO $$ BEGIN WHILE pg_is_in_recovery() LOOP PERFORM pg_sleep(0.02); END LOOP; END $$"


async def plan(postgres: Postgres, to: str, progress: Progress) -> Plan:
    """Choose the next primary, once all replicas are healthy and in sync.

    Args:
        postgres: The PostgresCluster.
        to: The pod that becomes the primary; empty takes the best one.
        progress: Reports what it waits for.

    Raises:
        UsageError: There is no such pod.
        PrerequisiteError: There is no replica, one is unhealthy or lags, or there is no primary.
    """
    primary = await postgres.primary()
    instances = await postgres.instances()
    if to and to not in {item.pod for item in instances}:
        listed = ", ".join(item.pod for item in instances)
        raise UsageError(f"PostgreSQL {postgres.name} has no pod {to}.", f"Its pods are: {listed}.")
    if to == primary.pod:
        return Plan(primary.pod, primary.pod)
    if len(instances) == 1:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} has no replica: {primary.pod} is its only instance.",
            "Deploy it with two or more replicas (pgoPostgresql.instances.replicas) first.",
        )
    replicas = await _await_in_sync(postgres, primary, instances, progress)
    return Plan(primary.pod, _candidate(replicas, to))


async def _await_in_sync(
    postgres: Postgres, primary: Instance, instances: Sequence[Instance], progress: Progress
) -> list[Replica]:
    if unready := [item.pod for item in instances if not item.is_ready]:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} is not healthy: not ready: {', '.join(unready)}.",
            "Run `vrooli diagnose` to find the cause.",
        )
    pods = [item.pod for item in instances if item is not primary and item.pod != primary.pod]
    replicas: list[Replica] = []

    async def problem() -> str:
        nonlocal replicas
        replicas = await replication.fetch(postgres, primary.pod, pods)
        return replication.first_problem(replicas)

    if reason := await poll_reason(problem, CATCH_UP_S, progress):
        raise PrerequisiteError(
            f"A switchover of PostgreSQL {postgres.name} would take long or lose data: {reason}.",
            "Wait until it has caught up, or run `vrooli diagnose` to find the cause.",
        )
    return replicas


def _candidate(replicas: Sequence[Replica], to: str) -> str:
    """The replica to promote; with synchronous replication Patroni accepts only those.

    Raises:
        PrerequisiteError: The requested one is asynchronous.
    """
    synchronous = [item for item in replicas if item.is_synchronous]
    if to and synchronous and to not in {item.pod for item in synchronous}:
        raise PrerequisiteError(
            f"{to} is an asynchronous replica: it may lack transactions that clients have been "
            "told are safe.",
            f"Switch over to {synchronous[0].pod}.",
        )
    return to or min(synchronous or replicas, key=lambda item: (item.lag, item.pod)).pod


async def switch_over(postgres: Postgres, planned: Plan, progress: Progress) -> Switched:
    """Make the planned pod the primary, and verify that clients of the pool can write.

    Raises:
        VrooliError: Patroni refused, or the new primary accepts no writes.
    """
    async with probe_pool(postgres) as probe:
        # The shutdown of the primary writes what is left of it.
        await postgres.execute("CHECKPOINT", pod=planned.current, limit_s=CHECKPOINT_S)
        progress.report(f"switches over to {planned.target}")
        async with asyncio.TaskGroup() as group:
            async with paused_pool(postgres):
                group.create_task(_promote(postgres, planned))
                await postgres.execute(_WRITABLE, pod=planned.target, limit_s=PROMOTED_S)
            # Patroni reports the result some seconds after the new primary accepts writes.
            await probe.wait_for_write(PROMOTED_S)
        return Switched(planned.target, probe.longest_s)


@asynccontextmanager
async def probe_pool(postgres: Postgres) -> AsyncIterator[WriteProbe]:
    """Write through the pool during the block, to measure a pause.

    Raises:
        PrerequisiteError: There is no ready pod of the pool.
        WaitTimeoutError: No write succeeds.
    """
    pods = await pool.pods(postgres)
    if not pods:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} has no ready pgBouncer.",
            "Run `vrooli diagnose` to find the cause.",
        )
    login = await pool.login_of(postgres)
    async with (
        pool.address(postgres, pods[0]) as port,
        probing(port, login, PROBE_S) as probe,
    ):
        yield probe


@asynccontextmanager
async def paused_pool(postgres: Postgres) -> AsyncIterator[None]:
    """New sessions wait in the pool during the block, which may be cancelled."""
    pods = await pool.pods(postgres)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lambda: asyncio.shield(_resume(postgres, pods)))
        await gather_limited(lambda pod: pool.pause(postgres, pod, PAUSE_S), pods)
        yield


async def _resume(postgres: Postgres, pods: Sequence[str]) -> None:
    async def resume(pod: str) -> None:
        with contextlib.suppress(VrooliError):  # its pause ends by itself
            await pool.resume(postgres, pod)

    await gather_limited(resume, pods)


async def _promote(postgres: Postgres, planned: Plan) -> None:
    await patroni.run(
        postgres,
        planned.current,
        SWITCH_OVER,
        [planned.target],
        failure=f"Patroni did not switch over to {planned.target}",
        advice="The primary may be unchanged: run `vrooli status`.",
    )


async def await_followers(postgres: Postgres, primary: str, progress: Progress) -> None:
    """Wait until the former primary and the other replicas follow the new primary.

    Raises:
        WaitTimeoutError: One does not.
    """
    if reason := await replication.await_followers(postgres, primary, FOLLOW_S, progress):
        raise WaitTimeoutError(
            f"{primary} is the primary, but not all replicas follow it after {FOLLOW_S:g} s: "
            f"{reason}.",
            "Run `vrooli diagnose` to find the cause.",
        )
