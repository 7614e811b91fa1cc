"""Change a release, restore a snapshot of its cluster, and compare what it has with what it had.

    uv run python bench/snapshots.py --name demo                # 20 rounds, of the dev release
    uv run python bench/snapshots.py --name demo --rounds 3

Each round writes rows to PostgreSQL, a value to Redis and a ConfigMap, makes a snapshot, changes
all three, and restores the snapshot. They are removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.environments import environment
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.clusters import access, snapshots
from vrooli.workflows.health import status

DATABASE, TABLE, NAME = "vrooli", "public.snapshot_rows", "snapshot-round"
STATE = f"SELECT count(*) AS rows, md5(string_agg(text, ',' ORDER BY number)) AS sum FROM {TABLE}"  # noqa: S608
HEALTHY_S, PAUSE_S = 300, 0.5


@dataclass(frozen=True)
class Round:
    """A restored snapshot: what it took, in seconds, and whether the data are those of before."""

    snapshot_s: float
    frozen_s: float
    restore_s: float
    healthy_s: float
    equal: bool


@dataclass(frozen=True)
class Stores:
    """What holds the data of the release."""

    kube: Kube
    namespace: str
    postgres: Postgres
    redis: Redis

    async def write(self, text: str) -> None:
        """Replace the rows, the value and the object."""
        numbers = "generate_series(1, 1000) number"
        rows = f"SELECT number, '{text}' || number AS text FROM {numbers}"  # noqa: S608
        replacement = f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} AS {rows};"
        await self.postgres.execute(replacement, DATABASE)
        await self.redis.command(await self.redis.master(), "SET", NAME, text)
        await self.kube.apply(config_map(text), namespace=self.namespace)

    async def read(self) -> list[Any]:
        """The rows, the value and the object."""
        value = await self.redis.command(await self.redis.master(), "GET", NAME)
        body = await self.kube.get("v1", "ConfigMap", NAME, self.namespace)
        return [await self.postgres.query(STATE, DATABASE), value, (body or {}).get("data")]

    async def clear(self) -> None:
        """Remove them."""
        await self.postgres.execute(f"DROP TABLE IF EXISTS {TABLE};", DATABASE)
        await self.redis.command(await self.redis.master(), "DEL", NAME)
        await self.kube.delete("v1", "ConfigMap", NAME, self.namespace)


def config_map(text: str) -> dict[str, Any]:
    """An object with a text."""
    metadata = {"name": NAME}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}


@asynccontextmanager
async def connect(options: argparse.Namespace) -> AsyncIterator[Stores]:
    """The stores of the release, as they are now."""
    async with access.connect(f"embedded:{options.name}") as reached:
        release = Release.of(environment(options.environment), reached.cluster.kubeconfig)
        postgres = await Postgres.of(reached.kube, release)
        redis = await Redis.of(reached.kube, release)
        yield Stores(reached.kube, release.namespace, postgres, redis)


async def wait_until_healthy(options: argparse.Namespace) -> None:
    """Wait until the status of the release is healthy."""
    async with asyncio.timeout(HEALTHY_S):
        where, cluster = environment(options.environment), f"embedded:{options.name}"
        while not (await status.status(where, cluster, silent)).ok:  # noqa: ASYNC110 - no event
            await asyncio.sleep(PAUSE_S)


async def measure(options: argparse.Namespace, number: int) -> Round:
    """Make one snapshot, change the data, and restore it."""
    async with connect(options) as stores:
        await stores.write(f"before {number} ")
        before = await stores.read()
    began = time.monotonic()
    made = await snapshots.create(options.name, NAME, silent)
    snapshot_s = time.monotonic() - began
    try:
        async with connect(options) as stores:
            await stores.write(f"after {number} ")
        began = time.monotonic()
        await snapshots.restore(options.name, NAME, silent)
        restore_s = time.monotonic() - began
        await wait_until_healthy(options)
        healthy_s = time.monotonic() - began
        async with connect(options) as stores:
            after = await stores.read()
            print(before, after, file=sys.stderr)
            equal = after == before
    finally:
        await snapshots.delete(options.name, NAME, silent)
    frozen_s = made.snapshot.frozen_s
    return Round(round(snapshot_s, 1), frozen_s, round(restore_s, 1), round(healthy_s, 1), equal)


async def run(options: argparse.Namespace) -> list[Round]:
    """Run the rounds one after another."""
    rounds = []
    for number in range(options.rounds):
        rounds.append(await measure(options, number))
        print(json.dumps(asdict(rounds[-1])), flush=True)
    async with connect(options) as stores:
        await stores.clear()
    return rounds


def main() -> None:
    """Measure, and exit with 1 if a snapshot is not what it was made of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the name of an embedded cluster")
    parser.add_argument("--environment", "-e", default="dev")
    parser.add_argument("--rounds", type=int, default=20)
    rounds = asyncio.run(run(parser.parse_args()))
    equal = sum(item.equal for item in rounds)
    print(json.dumps({"equal": equal, "of": len(rounds)}), flush=True)
    sys.exit(equal != len(rounds))


if __name__ == "__main__":
    main()
