"""redis-cli in the master of a RedisFailover, for people."""

from __future__ import annotations

from collections.abc import Sequence

from vrooli.databases.redis.session import AUTH, PORTS, Redis
from vrooli.errors import PrerequisiteError
from vrooli.kube.execution import Program
from vrooli.operators.redis import names

# Nothing that is typed stays in the pod.
_SCRIPT = f'{AUTH}export REDISCLI_HISTFILE=/dev/null; exec redis-cli -p {PORTS[names.REDIS]} "$@"'


async def console(redis: Redis, words: Sequence[str], *, read_only: bool) -> Program:
    """An interactive redis-cli, or one that runs a command. The pod's environment has the password.

    Args:
        redis: The Redis.
        words: Options of redis-cli, a command and its arguments; none for an interactive one.
        read_only: Whether to use a replica, which refuses writes, instead of the master.

    Raises:
        PrerequisiteError: There is no master, or no ready replica.
    """
    master = await redis.master()
    pod = master.name
    if read_only:
        replicas = [item.name for item in await redis.pods() if item.is_ready and item != master]
        if not replicas:
            raise PrerequisiteError(
                f"Redis {redis.name} in namespace {redis.namespace} has no ready replica, and only "
                "a replica is read-only.",
                "Run the command without --read-only to use the master.",
            )
        pod = replicas[0]
    argv = ["sh", "-c", _SCRIPT, "redis-cli", *words]
    return Program(redis.namespace, pod, names.REDIS, argv)
