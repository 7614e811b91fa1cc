"""Faults made in a release under load, and what each cost: requests, writes, seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from support.failures.load import Load
from support.release.writer_pod import CLUSTER_LABEL, POOL, Outage, Writer, between
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.records import storage
from vrooli.release.rollout import wait

INSTANCES = f"{CLUSTER_LABEL}=vrooli-pg,postgres-operator.crunchydata.com/instance"
PRIMARY = f"{INSTANCES},postgres-operator.crunchydata.com/role in (master,primary)"
BOUNCERS = ",".join(f"{key}={value}" for key, value in POOL.items())
REDISES = "app.kubernetes.io/name=vrooli-rf,app.kubernetes.io/component=redis"
TRAEFIKS, TRAEFIK_NAMESPACE = "app.kubernetes.io/name=traefik", "kube-system"
# How long a fault is looked at once all is healthy again, seconds: connections find it late.
CALM_S = 8.0
# How long a release may take to be healthy again, and a pod's successor to come, seconds.
HEALTHY_S, REPLACED_S = 240.0, 120.0
# A controller makes a pod's successor within a second; where there is none, an autoscaler wants
# fewer; seconds.
SCALED_S = 20.0
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
    """

    name: str
    healthy_s: float
    sent: int
    failed: int
    postgres: Outage
    redis: Outage
    lost: Mapping[str, int]

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
        began, sent, failed = time.time(), self.load.sent, len(self.load.at)
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
            failed=len(self.load.at) - failed,
            postgres=between(written, "postgres", began, until),
            redis=between(written, "redis", began, until),
            lost={store: len(numbers) for store, numbers in lost.items()},
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
    before = await kube.list("v1", "Pod", namespace, labels)
    uids = {item["metadata"]["uid"] for item in before}
    params = {"gracePeriodSeconds": "0"} if kill else {}
    await kube._object_call(
        "DELETE", f"delete Pod {pod}", "v1", "Pod", pod, namespace, params=params
    )
    began = time.monotonic()

    async def replaced() -> bool:
        """All that stay are ready, a new one among them; an autoscaler may want one less."""
        now = await kube.list("v1", "Pod", namespace, labels)
        stay = [item for item in now if "deletionTimestamp" not in item["metadata"]]
        is_new = any(item["metadata"]["uid"] not in uids for item in stay)
        is_enough = is_new or time.monotonic() - began > SCALED_S
        return bool(stay) and is_enough and all(map(_is_ready, stay))

    await eventually(replaced, REPLACED_S, f"another pod is ready in place of {pod}")


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


def _is_ready(pod: Mapping[str, object]) -> bool:
    status = pod.get("status")
    conditions = status.get("conditions", ()) if isinstance(status, dict) else ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
