"""Faults made in a release under load, and what each cost: requests, writes, seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.drills import writer
from vrooli.drills.faults import pods
from vrooli.drills.faults.pods import Group
from vrooli.drills.http_load import Failure, Load
from vrooli.drills.model import Outage
from vrooli.drills.writer import Writer, between
from vrooli.drills.writer_objects import WriterPlan
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.kube.objects import name as name_of
from vrooli.operators.pgo import names as pgo
from vrooli.release import Release
from vrooli.release.records import storage
from vrooli.release.rollout import wait

INSTANCES = f"{pgo.CLUSTER_LABEL}=vrooli-pg,{pgo.INSTANCE_LABEL}"
PRIMARY = f"{INSTANCES},{pgo.ROLE_LABEL} in (master,primary)"
BOUNCERS = f"{pgo.CLUSTER_LABEL}=vrooli-pg,{pgo.ROLE_LABEL}=pgbouncer"
REDISES = "app.kubernetes.io/name=vrooli-rf,app.kubernetes.io/component=redis"
# How long a fault is looked at once all is healthy again, seconds: connections find it late.
CALM_S = 8.0
# How long a release may take to be healthy again, and a pod's successor to come, seconds.
HEALTHY_S, REPLACED_S = 480.0, 300.0
# How long the writer may run, seconds.
WRITER_S = 7200.0
POLL_S = 0.5


@dataclass(frozen=True)
class Cost:
    """What a fault cost.

    Attributes:
        name: The fault.
        healthy_s: Seconds from the fault until all was healthy again.
        sent: Requests through the Ingress meanwhile.
        failed: Those that failed.
        postgres: What the writer to PostgreSQL saw.
        redis: What the writer to Redis saw.
        lost: Durable writes that are missing, by store.
        failures: The failed requests, for the message of a test that fails.
    """

    name: str
    healthy_s: float
    sent: int
    failed: int
    postgres: Outage
    redis: Outage
    lost: Mapping[str, int]
    failures: tuple[Failure, ...] = ()

    @property
    def row(self) -> str:
        """Its line of the table in docs/performance.md."""
        cells = (
            self.name,
            f"{self.failed} of {self.sent}",
            f"{self.postgres.failed}, {self.postgres.longest_s:.1f} s",
            f"{self.redis.failed}, {self.redis.longest_s:.1f} s",
            str(sum(self.lost.values())),
            f"{self.healthy_s:.0f} s",
        )
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Bench:
    """A release under load, with a writer to its databases."""

    kube: Kube
    release: Release
    load: Load
    writer: Writer

    async def cost(self, name: str, do: Callable[[], Awaitable[object]]) -> Cost:
        """Make a fault, wait until all is healthy again, and see what it cost."""
        began, sent, failed = time.time(), self.load.sent, len(self.load.failures)
        await do()
        await healthy(self.kube, self.release)
        ended = time.time()
        await asyncio.sleep(CALM_S)
        written = await self.writer.written()
        until = ended + CALM_S
        lost = await self.writer.lost()
        return Cost(
            name=name,
            healthy_s=round(ended - began, 1),
            sent=self.load.sent - sent,
            failed=len(self.load.failures) - failed,
            postgres=between(written, "postgres", began, until),
            redis=between(written, "redis", began, until),
            lost={store: len(numbers) for store, numbers in lost.items()},
            failures=tuple(self.load.failures[failed:]),
        )


async def healthy(kube: Kube, release: Release) -> None:
    """Wait until all of a release is."""
    await wait.until_ready(
        kube, await storage.fetch_manifests(kube, release), Progress(), HEALTHY_S
    )


async def eventually(holds: Callable[[], Awaitable[bool]], limit_s: float, what: str) -> None:
    """Ask until something holds."""
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < limit_s, f"not after {limit_s:.0f} s: {what}"
        await asyncio.sleep(POLL_S)


async def names(kube: Kube, namespace: str, labels: str) -> list[str]:
    """The names of pods that aren't going away."""
    pods = await kube.list("v1", "Pod", namespace, labels)
    return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]


async def lose(kube: Kube, namespace: str, pod: str, labels: str, *, kill: bool = False) -> None:
    """Delete a pod, without a moment to end where it is killed; returns when another is ready.

    Args:
        kube: The cluster.
        namespace: The pod's namespace.
        pod: Its name.
        labels: What selects it and its like.
        kill: Whether it gets no time to end.
    """
    group = await Group.fetch(kube, namespace, labels)
    deleted = [body for body in group.pods if name_of(body) == pod]
    injection = pods.deletion(group, deleted, at_once=kill)
    await injection.inject()
    await eventually(injection.is_healed, REPLACED_S, f"another pod is ready in place of {pod}")


async def redis_master(kube: Kube, namespace: str) -> str:
    """The pod of the master, as the replicas' links say."""
    for pod in await names(kube, namespace, REDISES):
        output = await query_redis(kube, namespace, pod, "ROLE")
        if output.startswith("master"):
            return pod
    raise AssertionError("no Redis is the master")


async def query_redis(kube: Kube, namespace: str, pod: str, command: str) -> str:
    """What a Redis answers; its container knows the password that it began with."""
    script = f'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli {command}'
    return (await kube.exec(namespace, pod, ["sh", "-c", script], "redis")).strip()


async def primary(kube: Kube, namespace: str) -> str:
    """The pod of PostgreSQL's primary."""
    (result,) = await names(kube, namespace, PRIMARY)
    return result


@asynccontextmanager
async def writing(kube: Kube, release: Release, image: str) -> AsyncIterator[Writer]:
    """A writer for the length of the block."""
    postgres, redis = await Postgres.of(kube, release), await Redis.of(kube, release)
    plan = WriterPlan(release.namespace, f"{release.name}-connections", image, (), WRITER_S)
    async with writer.writing(kube, postgres, redis, plan) as result:
        yield result
