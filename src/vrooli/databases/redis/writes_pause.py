"""The pause of writes during a switchover of Redis, and what ends it.

The steps within the pause run as two scripts in the master's pod: a request from here to each pod
would make the pause several times as long.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from vrooli.databases import programs
from vrooli.databases.programs import Place
from vrooli.databases.redis.session import AUTH, MASTER, Redis, RedisPod
from vrooli.errors import VrooliError
from vrooli.kube.concurrency import gather_limited
from vrooli.kube.objects import texts

PORT = 6379
# The longest pause of writes, and of each of its two halves, seconds. Sentinel promotes within one
# to two, or gives up after its failover-timeout (10 in the chart).
PAUSE_S, HALF_S = 30.0, 14.0
# When the pod resets the limit of writes itself, after the pause; and how long a failed switchover
# waits until Sentinel has ended its failover, seconds.
RESET_S, UNDO_S = 35, 20.0
POLL_S = 0.5
# Settings that a switchover changes for its duration, and their defaults in Redis.
WRITE_LIMIT, PRIORITY = "min-replicas-to-write", "replica-priority"
DEFAULTS = {WRITE_LIMIT: "0", PRIORITY: "100"}
_CLI = 'cli() { redis-cli -p "${REDIS_PORT:-6379}" "$@"; }; '
# Pauses writes until all replicas have the last one. Arguments: the pause, when the limit of writes
# is reset and to which value, the limit, then the replicas.
PAUSE = (
    f"sh -ec '{_CLI}"
    'cli CLIENT PAUSE "$1" WRITE >&2; '
    '(trap "" HUP TERM; sleep "$2"; cli CONFIG SET min-replicas-to-write "$3") '
    "</dev/null >/dev/null 2>&1 & "
    'cli CONFIG SET min-replicas-to-write "$4" >&2; shift 4; '
    'offset="$(cli ROLE | sed -n 2p)"; '
    'for replica in "$@"; do '
    'until [ "$(cli -h "$replica" ROLE | sed -n 5p)" -ge "$offset" ]; do sleep 0.05; done; '
    'done\' sh "$@"'
)
# Follows the first replica that was promoted, closes the connections of clients, ends the pause.
_FOLLOW = (
    f"sh -ec '{_CLI}"
    'while true; do for replica in "$@"; do '
    'if [ "$(cli -h "$replica" ROLE | sed -n 1p)" = master ]; then '
    f'cli REPLICAOF "$replica" {PORT} >&2; cli CLIENT KILL TYPE normal SKIPME yes >&2; '
    'cli CLIENT UNPAUSE >&2; echo "$replica"; exit; fi; '
    'done; sleep 0.05; done\' sh "$@"'
)


async def start(redis: Redis, master: RedisPod, replicas: Sequence[RedisPod]) -> None:
    """Pause writes until all replicas have the last one; the pod resets the limit of writes."""
    limit = configured(redis.body, WRITE_LIMIT)
    arguments = [f"{PAUSE_S * 1000:.0f}", str(RESET_S), limit, str(len(replicas))]
    await _run(redis, master, PAUSE, [*arguments, *(pod.address for pod in replicas)])


async def follow(redis: Redis, master: RedisPod, candidates: Sequence[RedisPod]) -> str:
    """The address of the promoted replica, once the former master follows it."""
    addresses = [pod.address for pod in candidates]
    return (await _run(redis, master, _FOLLOW, addresses)).strip()


async def _run(redis: Redis, pod: RedisPod, script: str, arguments: Sequence[str]) -> str:
    place = Place(redis.namespace, pod.name, pod.component)
    completed = await programs.run(redis.kube, place, script, arguments, "", HALF_S, before=AUTH)
    if completed.exit_code:
        raise VrooliError(f"Redis in pod {place} refused a command: {completed.stderr.strip()}")
    return completed.stdout


async def undo(redis: Redis, master: RedisPod, sentinel: RedisPod) -> None:
    """End the pause, unless another master may be promoted; the pod does it later otherwise."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UNDO_S):
            while True:
                if await _is_settled(redis, master, sentinel):
                    break
                await asyncio.sleep(POLL_S)
            with contextlib.suppress(VrooliError):  # the pause ends by itself
                await redis.command(master, "CLIENT", "UNPAUSE")
            await restore(redis, [master], WRITE_LIMIT)


async def _is_settled(redis: Redis, master: RedisPod, sentinel: RedisPod) -> bool:
    """Whether the former master is a replica now, or stays the master."""
    with contextlib.suppress(VrooliError):  # asked again
        if (await redis.command(master, "ROLE"))[0] != "master":
            return True
        state = await redis.command(sentinel, "SENTINEL", "MASTER", MASTER)
        flags = str(state["flags"]).split(",")
        return state["ip"] == master.address and "failover_in_progress" not in flags
    return False


async def restore(redis: Redis, pods: Sequence[RedisPod], setting: str) -> None:
    """Set a setting of pods to what the RedisFailover asks for; what a killed run left, too."""
    value = configured(redis.body, setting)

    async def reset(pod: RedisPod) -> None:
        with contextlib.suppress(VrooliError):  # the pod of the former master resets its limit
            await redis.command(pod, "CONFIG", "SET", setting, value)

    await gather_limited(reset, pods)


def configured(body: Mapping[str, object], setting: str) -> str:
    """The value of a setting in the RedisFailover; the default of Redis without one."""
    lines = (line.split(maxsplit=1) for line in texts(body, "spec", "redis", "customConfig"))
    values = {words[0]: words[1] for words in lines if len(words) > 1}
    return values.get(setting, DEFAULTS[setting])
