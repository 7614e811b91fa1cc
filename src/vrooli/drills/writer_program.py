"""Writes numbers to PostgreSQL and Redis at a steady rate, and records each acknowledged one.

It runs in a pod with an image of the services: ``python3 writer.py`` writes until it is ended;
``verify`` prints which durable writes are missing, ``clean`` removes all of them. The variable
``STORES`` names the databases. Each attempt is made once: a service would try again, and its
callers would see less of an outage than this does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
from redis.asyncio import Redis
from redis.asyncio.sentinel import Sentinel

LOG = Path("/data/notes")
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# Writes a second, and the longest that one may take, seconds.
POSTGRES_PER_S, REDIS_PER_S = 20.0, 20.0
ANSWER_S, CONNECT_S = 8.0, 3.0
# How long the replicas may take to confirm a write, milliseconds.
REPLICATED_MS = 500
TABLE = "vrooli.drill_writes"
KEYS = "drill:written:"
# Keys that nobody removed expire after this, seconds.
EXPIRE_S = 24 * 3600
BATCH = 1000


class NotReplicatedError(Exception):
    """The master has the write, and no replica had it in time."""


def secret(name: str) -> dict[str, str]:
    """A Secret as it is now: its password may have been rotated since the last connection."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    namespace = (ACCOUNT / "namespace").read_text()
    url = f"https://{host}:{port}/api/v1/namespaces/{namespace}/secrets/{name}"
    headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=CONNECT_S, context=trust) as answer:  # noqa: S310
        data = json.load(answer)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


async def log_in(user: str, password: str, database: str) -> psycopg.AsyncConnection:
    """A new connection through pgBouncer."""
    return await psycopg.AsyncConnection.connect(
        host=os.environ["DB_HOST"],
        dbname=database,
        user=user,
        password=password,
        sslmode=os.environ["DB_SSLMODE"],
        connect_timeout=int(CONNECT_S),
        tcp_user_timeout=int(ANSWER_S * 1000),
        gssencmode="disable",
        autocommit=True,
        prepare_threshold=None,
    )


class Postgres:
    """One connection through pgBouncer, as the application's own."""

    errors = (psycopg.Error, OSError, TimeoutError)
    per_s = POSTGRES_PER_S

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None

    async def connection(self) -> psycopg.AsyncConnection:
        """The connection, a new one if the last one is broken."""
        if self._connection is None:
            defined = await asyncio.to_thread(secret, os.environ["POSTGRES_SECRET"])
            user, password = defined["DB_USER"], defined["DB_PASSWORD"]
            self._connection = await log_in(user, password, defined["DB_NAME"])
        return self._connection

    async def prepare(self) -> None:
        """Make the table."""
        query = f"CREATE TABLE IF NOT EXISTS {TABLE} (number bigint PRIMARY KEY)"
        await (await self.connection()).execute(query.encode())

    async def write(self, number: int) -> bool:
        """Write a number; it is acknowledged when this returns, and durable."""
        query = f"INSERT INTO {TABLE} VALUES (%s)"  # noqa: S608
        await (await self.connection()).execute(query.encode(), (number,))
        return True

    async def forget(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def present(self) -> set[int]:
        """All numbers that are there."""
        cursor = await (await self.connection()).execute(
            f"SELECT number FROM {TABLE}".encode()  # noqa: S608
        )
        return {number for (number,) in await cursor.fetchall()}

    async def clean(self) -> None:
        """Remove the table."""
        await (await self.connection()).execute(f"DROP TABLE IF EXISTS {TABLE}".encode())


class RedisMaster:
    """One connection to the master that the Sentinels name."""

    errors = (Exception,)  # redis-py lets those of sockets and of its parser through, too
    per_s = REDIS_PER_S

    def __init__(self) -> None:
        self._redis: Redis | None = None
        self._replicas = int(os.environ["REDIS_REPLICAS"])

    async def connection(self) -> Redis:
        """The connection, a new one if the last one is broken."""
        if self._redis is None:
            defined = await asyncio.to_thread(secret, os.environ["REDIS_SECRET"])
            hosts = os.environ["REDIS_SENTINEL_HOSTS"].split(",")
            places = [(host.rpartition(":")[0], int(host.rpartition(":")[2])) for host in hosts]
            limits = {"socket_timeout": ANSWER_S, "socket_connect_timeout": CONNECT_S}
            sentinel = Sentinel(places, sentinel_kwargs=limits)  # type: ignore[no-untyped-call]
            try:
                host, port = await sentinel.discover_master(os.environ["REDIS_MASTER_NAME"])
            finally:
                for client in sentinel.sentinels:
                    await client.aclose()
            self._redis = Redis(
                host=host,
                port=port,
                password=defined["REDIS_PASSWORD"],
                socket_timeout=ANSWER_S,
                socket_connect_timeout=CONNECT_S,
                single_connection_client=True,
            )
        return self._redis

    async def prepare(self) -> None:
        """Nothing needs to be made."""

    async def write(self, number: int) -> bool:
        """Write a number; it is acknowledged when a replica has it, and durable when all have.

        Sentinel elects a replica by reports that may be some seconds old: of two replicas it may
        elect the one that does not have the write. A single Redis acknowledges a write before its
        file has it, so that none of its writes is durable.

        Raises:
            NotReplicatedError: No replica has it.
        """
        redis = await self.connection()
        pipe = redis.pipeline(transaction=False)
        pipe.set(f"{KEYS}{number}", number, ex=EXPIRE_S)
        pipe.execute_command("WAIT", self._replicas, REPLICATED_MS)
        _, replicas = await pipe.execute()
        if self._replicas and replicas < 1:
            raise NotReplicatedError(f"{replicas} replicas")
        return bool(self._replicas and replicas >= self._replicas)

    async def forget(self) -> None:
        """Close the connection."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    async def present(self) -> set[int]:
        """All numbers that are there."""
        redis = await self.connection()
        keys = redis.scan_iter(f"{KEYS}*", count=BATCH)
        return {int(key.rpartition(b":")[2]) async for key in keys}

    async def clean(self) -> None:
        """Remove all numbers."""
        redis = await self.connection()
        async for key in redis.scan_iter(f"{KEYS}*", count=BATCH):
            await redis.unlink(key)


MAKERS: dict[str, Callable[[], Postgres | RedisMaster]] = {
    "postgres": Postgres,
    "redis": RedisMaster,
}


def stores() -> dict[str, Callable[[], Postgres | RedisMaster]]:
    """The databases that are written to."""
    return {name: MAKERS[name] for name in os.environ["STORES"].split(",")}


async def write_forever(name: str) -> None:
    """Write one number after the other; a slow answer makes the next ones late, never more."""
    # From where no writer before this one has been.
    store, number = MAKERS[name](), time.time_ns() // 1_000_000
    await _attempt(store, store.prepare)
    while True:
        number += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_S):
                is_durable = await store.write(number)
        except store.errors as error:
            log_attempt(name, number, f"{type(error).__name__}: {error}".splitlines()[0])
            await _attempt(store, store.forget)
        else:
            log_attempt(name, number, is_durable=is_durable)
        await asyncio.sleep(max(0.0, began + 1 / store.per_s - time.monotonic()))


def log_attempt(store: str, number: int, error: str = "", *, is_durable: bool = False) -> None:
    """Record an attempt; without an error it was acknowledged."""
    line = {"store": store, "number": number, "at": time.time(), "error": error}
    line["durable"] = is_durable
    with LOG.open("a") as records:
        records.write(json.dumps(line) + "\n")


async def _attempt(store: Postgres | RedisMaster, do: Callable[[], Awaitable[None]]) -> None:
    """Do something that may fail as the store is away."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await do()
    except store.errors as error:
        sys.stderr.write(f"{type(store).__name__}: {error}\n")


async def verify() -> None:
    """Print, for each store, how many writes were durable and which of them are missing."""
    output = [json.loads(line) for line in LOG.read_text().splitlines()]
    result = {}
    for name, make in stores().items():
        store = make()
        durable = {n["number"] for n in output if n["store"] == name and n["durable"]}
        lost = sorted(durable - await store.present())
        await store.forget()
        result[name] = {"durable": len(durable), "lost": lost}
    sys.stdout.write(json.dumps(result))


async def clean() -> None:
    """Remove everything that was written."""
    for make in stores().values():
        store = make()
        await store.clean()
        await store.forget()


async def main() -> None:
    """Write to both stores, or do what the first argument says."""
    match sys.argv[1:]:
        case ["verify"]:
            await verify()
        case ["clean"]:
            await clean()
        case _:
            async with asyncio.TaskGroup() as group:
                for name in stores():
                    group.create_task(write_forever(name))


if __name__ == "__main__":
    asyncio.run(main())
