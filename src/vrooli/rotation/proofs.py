"""Proofs that a database accepts the new password, and refuses the previous one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from vrooli.databases.postgres import pool
from vrooli.databases.postgres.pool import Login, LoginRejectedError
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis, RedisCommandError, RedisPod
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.rotation import targets
from vrooli.rotation.model import Rotated, Target

# How long pgBouncer may cache a password, seconds, and the pause between logins.
REFUSED_S, POLL_S = 30.0, 1.0
_WRONG = ("WRONGPASS", "invalid password")


async def prove(kube: Kube, release: Release, target: Target, previous: Mapping[str, str]) -> str:
    """Log in with the published password of a database, and try the previous one.

    Args:
        kube: The cluster.
        release: The release.
        target: The secret of the database.
        previous: The published data before; empty if unknown.

    Returns:
        What was proven.

    Raises:
        VrooliError: The new password is refused, or the previous one still accepted.
    """
    published = await targets.read(kube, target.namespace, target.published)
    if target.name is Rotated.POSTGRES:
        return await prove_postgres(await Postgres.of(kube, release), published, previous)
    key = target.kind.published_key
    redis = await Redis.of(kube, release)
    return await prove_redis(redis, published[key], previous.get(key, ""))


async def prove_postgres(
    postgres: Postgres, published: Mapping[str, str], previous: Mapping[str, str]
) -> str:
    """Log in through the pool with the published password, and try the previous one.

    Returns:
        What was proven.

    Raises:
        VrooliError: The new password is refused, or the previous one still accepted.
    """
    pods = await pool.pods(postgres)
    if not pods:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} has no ready pgBouncer.",
            "Run `vrooli diagnose` to find the cause.",
        )
    async with pool.address(postgres, pods[0]) as port:
        connection = await pool.log_in(port, _login(published))
        await connection.close()
        if not previous:
            return "the pool accepts the new password"
        await _require_refusal(port, _login(previous))
    return "the pool accepts the new password and refuses the previous one"


def _login(data: Mapping[str, str]) -> Login:
    return Login(data["DB_USER"], data["DB_NAME"], data["DB_PASSWORD"])


async def _require_refusal(port: int, login: Login) -> None:
    try:
        async with asyncio.timeout(REFUSED_S):
            while True:
                connection = await pool.log_in(port, login)
                await connection.close()
                await asyncio.sleep(POLL_S)
    except LoginRejectedError:
        return
    except TimeoutError:
        raise VrooliError(
            f"PostgreSQL still accepts the previous password of {login.user} after "
            f"{REFUSED_S:g} s.",
            "Run `vrooli diagnose` to find the cause; then run the same command again.",
        ) from None


async def prove_redis(redis: Redis, new: str, previous: str) -> str:
    """Log in to each Redis with the new password, and try the previous one.

    Raises:
        VrooliError: A Redis refuses the new password, or still accepts the previous one.
    """
    pods = await redis.pods()
    for pod in pods:
        if not await _accepts(redis, pod, new):
            raise VrooliError(
                f"Redis {pod.name} refuses the new password.",
                "Run `vrooli diagnose` to find the cause.",
            )
        if previous and await _accepts(redis, pod, previous):
            raise VrooliError(
                f"Redis {pod.name} still accepts the previous password.",
                "Run the same command again: it continues this rotation.",
            )
    refusal = " and refuse the previous one" if previous else ""
    return f"{', '.join(pod.name for pod in pods)} accept the new password{refusal}"


async def _accepts(redis: Redis, pod: RedisPod, password: str) -> bool:
    try:
        await redis.command(pod, "AUTH", "default", password)
    except RedisCommandError as error:
        if any(word in error.message for word in _WRONG):
            return False
        raise
    return True
