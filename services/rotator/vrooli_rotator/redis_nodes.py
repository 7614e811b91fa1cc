"""Redis and Sentinel processes, each asked at its own address."""

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
# The name that the Redis operator gives the master in every Sentinel.
MASTER_NAME = "mymaster"
# One command, seconds.
COMMAND_LIMIT_S = 4.0
# The setting by which a master refuses writes without so many replicas.
WRITE_LIMIT = "min-replicas-to-write"
# For so long writes wait at most during a switchover, seconds. Sentinel promotes in one to two.
PAUSE_S = 12.0
# Between two looks at an offset or a role, seconds.
TICK_S = 0.1


async def run(client: Redis, *command: str) -> Any:
    """Run one command that the client has no method for."""
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Replication:
    """What ``INFO replication`` says of one Redis."""

    is_master: bool
    link_is_up: bool
    is_syncing: bool
    offset: int

    @property
    def is_in_sync(self) -> bool:
        """Whether a replica has its master's data and follows it."""
        return self.is_master or (self.link_is_up and not self.is_syncing)


@dataclass(frozen=True)
class Node:
    """One Redis process."""

    name: str
    host: str
    port: int = REDIS_PORT

    @asynccontextmanager
    async def connect(self, passwords: Iterable[str]) -> AsyncIterator[Redis]:
        """A connection with the first of these passwords that it takes.

        Raises:
            WaitingError: It takes none, or doesn't answer.
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
                raise WaitingError(f"Redis {self.name} does not answer: {error}") from error
            try:
                yield client
            except (RedisError, OSError, TimeoutError) as error:
                raise WaitingError(f"Redis {self.name} refused a command: {error}") from error
            finally:
                await client.aclose()
            return
        raise WaitingError(f"Redis {self.name} takes none of the known passwords")

    async def takes(self, password: str) -> bool:
        """Whether it takes this password."""
        client = self._client(password)
        try:
            await client.ping()
        except AuthenticationError:
            return False
        except (RedisError, OSError, TimeoutError) as error:
            raise WaitingError(f"Redis {self.name} does not answer: {error}") from error
        finally:
            await client.aclose()
        return True

    async def replication(self, passwords: Iterable[str]) -> Replication:
        """Its role and how far it follows."""
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
    """What ``INFO replication`` says now."""
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
    """One Sentinel process; the operator's Sentinels ask for no password."""

    name: str
    host: str
    port: int = SENTINEL_PORT

    async def set_password(self, password: str) -> None:
        """Make it use this password with every Redis."""
        await self._run("SENTINEL", "SET", MASTER_NAME, "auth-pass", password)

    async def fail_over(self) -> None:
        """Make it promote a replica now."""
        await self._run("SENTINEL", "FAILOVER", MASTER_NAME)

    async def has_replicas(self, number: int) -> bool:
        """Whether it knows a healthy master with at least so many replicas, and a quorum."""
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
    """Make a Redis take all of these passwords; it must take one of them already."""
    async with node.connect(passwords) as client:
        await run(client, "ACL", "SETUSER", "default", *(f">{word}" for word in passwords))


async def use_with_master(node: Node, password: str) -> None:
    """Make a Redis log in to its master with this password from now on."""
    async with node.connect([password]) as client:
        await client.config_set("masterauth", password)


async def accept_only(node: Node, password: str) -> None:
    """Make a Redis take this password and no other, without ending its connections."""
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

    Writes wait at the master until its replicas have all it has and one of them is promoted.
    Then its clients' connections end, and they ask Sentinel for the new master.

    Whatever ends this early: from Sentinel's order on, the master refuses writes as soon as one of
    its replicas leaves it, since it wants all of them; the caller lifts that limit later.
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
        await asyncio.sleep(TICK_S)


async def _wait_for_promotion(replicas: list[Node], password: str) -> Node:
    while True:
        for node in replicas:
            if (await node.replication([password])).is_master:
                return node
        await asyncio.sleep(TICK_S)
