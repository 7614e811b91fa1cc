"""Commands to Redis and Sentinel processes, each at its own address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from vrooli_rotator.errors import PromotionRefusedError, WaitingError

REDIS_PORT, SENTINEL_PORT = 6379, 26379
# Name of the master in the operator's Sentinels.
MASTER_NAME = "mymaster"
# Timeout of a command, seconds.
COMMAND_LIMIT_S = 4.0
# Setting: number of replicas below which a master refuses writes.
WRITE_LIMIT = "min-replicas-to-write"
# Maximum pause of writes during a switchover, seconds. Sentinel promotes within one to two.
PAUSE_S = 12.0
# Polling interval of offsets and roles, seconds.
POLL_S = 0.1


async def run(client: Redis, *command: str) -> Any:
    """Run one command that the client has no method for."""
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Replication:
    """Replication state of a Redis."""

    is_master: bool
    link_is_up: bool
    is_syncing: bool
    offset: int

    @property
    def is_in_sync(self) -> bool:
        """Whether a replica is connected to its master and not in a full sync."""
        return self.is_master or (self.link_is_up and not self.is_syncing)


@dataclass(frozen=True)
class Node:
    """One Redis process."""

    name: str
    host: str
    port: int = REDIS_PORT

    @asynccontextmanager
    async def connect(self, passwords: Iterable[str]) -> AsyncIterator[Redis]:
        """A connection with the first accepted password.

        Raises:
            WaitingError: It accepts none, or doesn't respond.
        """
        for password in passwords:
            client = self._client(password)
            try:
                await client.ping()
            except AuthenticationError:
                await client.aclose()
                continue
            except (RedisError, OSError, TimeoutError) as error:
                await client.aclose()
                raise WaitingError(f"Redis {self.name} does not respond: {error}") from error
            try:
                yield client
            except (RedisError, OSError, TimeoutError) as error:
                raise WaitingError(f"Redis {self.name} refused a command: {error}") from error
            finally:
                await client.aclose()
            return
        raise WaitingError(f"Redis {self.name} accepts none of the known passwords")

    async def takes(self, password: str) -> bool:
        """Whether it accepts this password."""
        client = self._client(password)
        try:
            await client.ping()
        except AuthenticationError:
            return False
        except (RedisError, OSError, TimeoutError) as error:
            raise WaitingError(f"Redis {self.name} does not respond: {error}") from error
        finally:
            await client.aclose()
        return True

    async def replication(self, passwords: Iterable[str]) -> Replication:
        """Its replication state."""
        async with self.connect(passwords) as client:
            return await read_replication(client)

    def _client(self, password: str) -> Redis:
        return Redis(
            host=self.host,
            port=self.port,
            password=password,
            single_connection_client=True,
            decode_responses=True,
            socket_timeout=COMMAND_LIMIT_S,
            socket_connect_timeout=COMMAND_LIMIT_S,
        )


async def read_replication(client: Redis) -> Replication:
    """The result of ``INFO replication``."""
    info: dict[str, Any] = await client.info("replication")
    is_master = info["role"] == "master"
    offset = info["master_repl_offset"] if is_master else info.get("slave_repl_offset", 0)
    return Replication(
        is_master,
        info.get("master_link_status") == "up",
        bool(info.get("master_sync_in_progress")),
        int(offset),
    )


@dataclass(frozen=True)
class SentinelNode:
    """One Sentinel process; the operator's Sentinels have no password."""

    name: str
    host: str
    port: int = SENTINEL_PORT

    async def set_password(self, password: str) -> None:
        """Set the password for its connections to Redis."""
        await self._run("SENTINEL", "SET", MASTER_NAME, "auth-pass", password)

    async def fail_over(self) -> None:
        """Start a failover."""
        await self._run("SENTINEL", "FAILOVER", MASTER_NAME)

    async def has_replicas(self, number: int) -> bool:
        """Whether it has a healthy master, at least this many replicas, and a quorum."""
        state = await self._run("SENTINEL", "MASTER", MASTER_NAME)
        fields = (
            state if isinstance(state, dict) else dict(zip(state[::2], state[1::2], strict=True))
        )
        await self._run("SENTINEL", "CKQUORUM", MASTER_NAME)
        return fields["flags"] == "master" and int(fields["num-slaves"]) >= number

    async def _run(self, *command: str) -> Any:
        client = Redis(
            host=self.host,
            port=self.port,
            decode_responses=True,
            socket_timeout=COMMAND_LIMIT_S,
            socket_connect_timeout=COMMAND_LIMIT_S,
        )
        try:
            return await run(client, *command)
        except ResponseError as error:
            raise PromotionRefusedError(f"Sentinel {self.name}: {error}") from error
        except (RedisError, OSError, TimeoutError) as error:
            raise WaitingError(f"Sentinel {self.name}: {error}") from error
        finally:
            await client.aclose()


async def accept(node: Node, passwords: Sequence[str]) -> None:
    """Make a Redis accept all of these passwords; it must already accept one."""
    async with node.connect(passwords) as client:
        await run(client, "ACL", "SETUSER", "default", *(f">{word}" for word in passwords))


async def use_with_master(node: Node, password: str) -> None:
    """Set the password with which a Redis logs in to its master."""
    async with node.connect([password]) as client:
        await client.config_set("masterauth", password)


async def accept_only(node: Node, password: str) -> None:
    """Make a Redis accept only this password, without closing connections."""
    async with node.connect([password]) as client:
        await run(client, "ACL", "SETUSER", "default", "resetpass", f">{password}")


async def read_write_limit(node: Node, password: str) -> str:
    """A Redis' ``min-replicas-to-write``."""
    async with node.connect([password]) as client:
        setting = await client.config_get(WRITE_LIMIT)
    return str(setting[WRITE_LIMIT])


async def set_write_limit(node: Node, password: str, limit: str) -> None:
    """Set a Redis' ``min-replicas-to-write``."""
    async with node.connect([password]) as client:
        await client.config_set(WRITE_LIMIT, limit)


async def switch_over(
    master: Node, replicas: list[Node], sentinel: SentinelNode, password: str
) -> None:
    """Promote a replica without losing a write that the master acknowledged.

    Writes are paused until the replicas have caught up and one is promoted. Then the connections of
    clients are closed, and they query Sentinel for the new master.

    If this is interrupted after the start of the failover, the master refuses writes as soon as it
    loses a replica, since it requires all of them. The caller must reset that limit later.
    """
    async with master.connect([password]) as client:
        await run(client, "CLIENT", "PAUSE", str(int(PAUSE_S * 1000)), "WRITE")
        try:
            async with asyncio.timeout(PAUSE_S - COMMAND_LIMIT_S):
                await _wait_for_offsets(client, replicas, password)
                await client.config_set(WRITE_LIMIT, len(replicas))
                await sentinel.fail_over()
                promoted = await _wait_for_promotion(replicas, password)
        except PromotionRefusedError:
            await run(client, "CLIENT", "UNPAUSE")
            raise
        except TimeoutError as error:
            raise WaitingError(f"Sentinel {sentinel.name} promoted no replica in time") from error
        await run(client, "REPLICAOF", promoted.host, str(promoted.port))
        await run(client, "CLIENT", "UNPAUSE")
        await run(client, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def _wait_for_offsets(master: Redis, replicas: list[Node], password: str) -> None:
    while True:
        target = (await read_replication(master)).offset
        states = [await node.replication([password]) for node in replicas]
        if all(state.offset >= target for state in states):
            return
        await asyncio.sleep(POLL_S)


async def _wait_for_promotion(replicas: list[Node], password: str) -> Node:
    while True:
        for node in replicas:
            if (await node.replication([password])).is_master:
                return node
        await asyncio.sleep(POLL_S)
