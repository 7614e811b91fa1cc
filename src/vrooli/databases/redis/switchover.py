"""A planned switchover of Redis by Sentinel that loses no acknowledged write.

Writes are paused until a replica is promoted; then the connections of clients are closed, and they
ask Sentinel for the new master. Until then, the former master also refuses writes without its
replicas (``min-replicas-to-write``). If this process is killed in between, the pause ends by
itself, and the pod resets that limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from vrooli.databases.model import Plan, Switched
from vrooli.databases.polling import poll_reason
from vrooli.databases.redis import writes_pause
from vrooli.databases.redis.session import MASTER, Redis, RedisPod
from vrooli.errors import PrerequisiteError, UsageError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.operators.redis import names
from vrooli.release.rollout.redis_reconcile import ANNOTATION

# The log of writes that a replica may lack at the start, bytes.
MAX_LAG = 1024 * 1024
# How long replicas may take to catch up, and the processes to agree on the new master, seconds.
CATCH_UP_S, FOLLOW_S = 30.0, 120.0
# Sentinel reads the priorities of replicas every ten seconds (SENTINEL_INFO_PERIOD), seconds.
PRIORITIES_S = 25.0


async def plan(redis: Redis, to: str, progress: Progress) -> Plan:
    """Check that a switchover is possible: all processes are healthy, and all replicas in sync.

    Args:
        redis: The RedisFailover.
        to: The pod that becomes the master; empty lets Sentinel choose.
        progress: Reports what it waits for.

    Raises:
        UsageError: There is no such pod.
        PrerequisiteError: There is no replica, or a process is unhealthy or lags.
    """
    pods = await redis.pods()
    if to and to not in {pod.name for pod in pods}:
        listed = ", ".join(pod.name for pod in pods)
        raise UsageError(f"Redis {redis.name} has no pod {to}.", f"Its pods are: {listed}.")
    if redis.replicas(names.REDIS) == 1:
        raise PrerequisiteError(
            f"Redis {redis.name} has no replica: {pods[0].name if pods else 'its pod'} is its "
            "only instance.",
            "Deploy it with two or more replicas (spotahomeRedis.redis.replicas) first.",
        )
    await _require_ready(redis)
    master = await redis.master()
    if to == master.name:
        return Plan(master.name, master.name)
    await _await_in_sync(redis, master, progress)
    return Plan(master.name, to)


async def _require_ready(redis: Redis) -> None:
    for component in (names.REDIS, names.SENTINEL):
        pods = await redis.pods(component)
        ready = [pod for pod in pods if pod.is_ready and pod.address]
        if len(ready) < redis.replicas(component):
            raise PrerequisiteError(
                f"Redis {redis.name} is not healthy: {len(ready)} of {redis.replicas(component)} "
                f"{component} pods are ready.",
                "Run `vrooli diagnose` to find the cause.",
            )
        if component == names.SENTINEL:
            for pod in ready:
                await redis.command(pod, "SENTINEL", "CKQUORUM", MASTER)


async def _await_in_sync(redis: Redis, master: RedisPod, progress: Progress) -> None:
    if reason := await poll_reason(lambda: lag_reason(redis, master), CATCH_UP_S, progress):
        raise PrerequisiteError(
            f"A switchover of Redis {redis.name} would take long or lose data: {reason}.",
            "Wait until it has caught up, or run `vrooli diagnose` to find the cause.",
        )


async def lag_reason(redis: Redis, master: RedisPod) -> str:
    """Which replica does not follow the master closely; empty if all do."""
    role = await redis.command(master, "ROLE")
    if role[0] != "master":
        return f"{master.name} is not the master"
    for pod in await redis.pods():
        if pod.name == master.name:
            continue
        replica = await redis.command(pod, "ROLE")
        if replica[0] != "slave" or replica[1] != master.address or replica[3] != "connected":
            return f"{pod.name} does not replicate from {master.name}"
        if role[1] - replica[4] > MAX_LAG:
            return f"{pod.name} is {(role[1] - replica[4]) / 1024 / 1024:.1f} MiB behind"
    return ""


async def switch_over(redis: Redis, planned: Plan, progress: Progress) -> Switched:
    """Promote a replica: the planned one, or the one that Sentinel chooses.

    Raises:
        PrerequisiteError: No Sentinel is ready.
        VrooliError: Sentinel refused, or promoted none in time; the master may be unchanged.
    """
    pods = {pod.name: pod for pod in await redis.pods()}
    master = pods[planned.current]
    replicas = [pod for pod in pods.values() if pod.name != master.name]
    sentinel = await _ready_sentinel(redis)
    candidates = [pod for pod in replicas if planned.target in ("", pod.name)]
    passed_over = [pod for pod in replicas if pod not in candidates]
    try:
        await _set_priorities(redis, sentinel, passed_over, progress)
        progress.report("pauses writes")
        began = time.monotonic()
        address = await _promote(redis, master, replicas, candidates, sentinel)
        pause_s = time.monotonic() - began
    finally:
        await asyncio.shield(writes_pause.restore(redis, passed_over, writes_pause.PRIORITY))
    limited = list(pods.values())
    await asyncio.shield(writes_pause.restore(redis, limited, writes_pause.WRITE_LIMIT))
    return Switched(next(pod.name for pod in candidates if pod.address == address), pause_s)


async def _ready_sentinel(redis: Redis) -> RedisPod:
    for pod in await redis.pods(names.SENTINEL):
        if pod.is_ready:
            return pod
    raise PrerequisiteError(
        f"Redis {redis.name} has no Sentinel that is ready.",
        "Run `vrooli diagnose` to find the cause.",
    )


async def _promote(
    redis: Redis,
    master: RedisPod,
    replicas: Sequence[RedisPod],
    candidates: Sequence[RedisPod],
    sentinel: RedisPod,
) -> str:
    """Pause writes and have Sentinel promote a replica; returns its address."""
    try:
        await writes_pause.start(redis, master, replicas)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(writes_pause.follow(redis, master, candidates))
            await redis.command(sentinel, "SENTINEL", "FAILOVER", MASTER)
    except BaseException:
        await asyncio.shield(writes_pause.undo(redis, master, sentinel))
        raise
    return following.result()


async def _set_priorities(
    redis: Redis, sentinel: RedisPod, passed_over: Sequence[RedisPod], progress: Progress
) -> None:
    """Exclude replicas from promotion, and wait until Sentinel has read that."""
    if not passed_over:
        return
    for pod in passed_over:
        await redis.command(pod, "CONFIG", "SET", writes_pause.PRIORITY, "0")
    addresses = {pod.address for pod in passed_over}

    async def unread() -> str:
        states = await redis.command(sentinel, "SENTINEL", "REPLICAS", MASTER)
        read = {item["ip"] for item in states if item["slave-priority"] == "0"}
        return "" if addresses <= read else "Sentinel has not read the priorities"

    if await poll_reason(unread, PRIORITIES_S, progress):
        raise WaitTimeoutError(
            f"Sentinel {sentinel.name} has not read the priorities of the replicas after "
            f"{PRIORITIES_S:g} s.",
            "Run `vrooli diagnose` to find the cause.",
        )


async def request_reconcile(redis: Redis) -> None:
    """Change an annotation of the RedisFailover: its operator otherwise acts every 30 s."""
    moment = datetime.now(UTC).isoformat()
    await redis.kube.patch(
        *(names.API_VERSION, names.KIND, redis.name, redis.namespace),
        {"metadata": {"annotations": {ANNOTATION: moment}}},
    )


async def await_followers(redis: Redis, master: str, progress: Progress) -> None:
    """Wait until Sentinels, replicas and the operator know the new master.

    Raises:
        WaitTimeoutError: One does not.
    """
    await request_reconcile(redis)
    if reason := await poll_reason(lambda: _disagreement(redis, master), FOLLOW_S, progress):
        raise WaitTimeoutError(
            f"{master} is the master, but not everything follows it after {FOLLOW_S:g} s: "
            f"{reason}.",
            "Run `vrooli diagnose` to find the cause.",
        )


async def _disagreement(redis: Redis, master: str) -> str:
    try:
        actual = await redis.master()
    except PrerequisiteError as error:
        return error.message
    if actual.name != master:
        return f"the Sentinels name {actual.name} as the master"
    return await lag_reason(redis, actual)
