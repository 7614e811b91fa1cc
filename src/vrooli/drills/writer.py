"""A pod beside a release that writes to its databases without a pause: what it was promised."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.drills import writer_objects
from vrooli.drills.model import Outage
from vrooli.drills.writer_objects import NAME, WriterPlan
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.kube import Kube
from vrooli.kube.status import is_pod_ready
from vrooli.operators.redis import names as redis_names

# How long the pod may take to start, and to write to each database, seconds.
READY_S, FIRST_WRITE_S = 120.0, 60.0
# How long, and how often, it is asked again what is there while a store doesn't answer, seconds.
VERIFY_S, VERIFY_EVERY_S = 40.0, 2.0
# How long its writes and its objects may take to be removed, seconds.
CLEAN_S = 60.0
POLL_S = 0.5
# The volume of its notes has as many bytes.
NOTES_BYTES = 64 * 1024**2
# Clocks that differ by more are corrected; less is the time of the question itself, seconds.
CLOCK_S = 2.0


@dataclass(frozen=True)
class Written:
    """An attempt to write.

    Attributes:
        store: Where to: postgres or redis.
        at: When it ended, seconds since the epoch by the clock of this machine.
        error: What went wrong; empty when it was acknowledged.
    """

    store: str
    at: float
    error: str


class Writer:
    """The pod, once it writes."""

    def __init__(self, kube: Kube, namespace: str, stores: Sequence[str]) -> None:
        self._kube, self._namespace, self._stores = kube, namespace, stores
        self._clock_s = 0.0

    async def start(self) -> None:
        """Wait until a write to each database was acknowledged.

        Raises:
            WaitTimeoutError: There is none in time; the message has the last error.
        """
        sent = time.time()
        pod_time = float(await self._run("date", "+%s.%N"))
        offset = pod_time - (sent + time.time()) / 2
        self._clock_s = offset if abs(offset) > CLOCK_S else 0.0
        missing, records = set(self._stores), list[Written]()
        deadline = time.monotonic() + FIRST_WRITE_S
        while missing:
            if time.monotonic() > deadline:
                errors = [item.error for item in records if item.error and item.store in missing]
                last = errors[-1] if errors else "nothing was attempted"
                raise WaitTimeoutError(
                    f"The writer of the drill cannot write to {', '.join(sorted(missing))}: {last}",
                    "Run `vrooli diagnose` to find the cause.",
                )
            await asyncio.sleep(POLL_S)
            records = await self.written()
            missing -= {item.store for item in records if not item.error}

    async def written(self) -> list[Written]:
        """Every attempt so far, in the order in which they ended."""
        # The file does not exist before the first attempt.
        lines = (await self._run("sh", "-c", f"cat {writer_objects.NOTES} || true")).splitlines()
        records = [json.loads(line) for line in lines if line.endswith("}")]
        return [
            Written(record["store"], record["at"] - self._clock_s, record["error"])
            for record in records
        ]

    async def lost(self) -> dict[str, list[int]]:
        """The numbers of durable writes that are missing, by store."""
        result = json.loads(await self._verified())
        return {name: store["lost"] for name, store in result.items()}

    async def clean(self) -> None:
        """Remove everything that was written."""
        await self._run("python3", writer_objects.PROGRAM, "clean")

    async def _verified(self) -> str:
        """What the writer finds; a pool that has just lost its server is asked again."""
        deadline = time.monotonic() + VERIFY_S
        while True:
            try:
                return await self._run("python3", writer_objects.PROGRAM, "verify")
            except VrooliError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(VERIFY_EVERY_S)

    async def _run(self, *argv: str) -> str:
        return await self._kube.exec(self._namespace, NAME, argv, NAME, most=NOTES_BYTES)


def between(written: Sequence[Written], store: str, began: float, ended: float) -> Outage:
    """What the store's writer saw between two moments, and until its next acknowledged write."""
    mine = [item for item in written if item.store == store]
    failed = sum(bool(item.error) and began <= item.at <= ended for item in mine)
    acknowledged = [item.at for item in mine if not item.error]
    moments = [*acknowledged, max(ended, *acknowledged[-1:])] if acknowledged else [began, ended]
    gaps = [
        after - before for before, after in pairwise(moments) if after >= began and before <= ended
    ]
    return Outage(failed, round(max(gaps, default=0.0), 1))


@asynccontextmanager
async def writing(
    kube: Kube, postgres: Postgres | None, redis: Redis | None, plan: WriterPlan
) -> AsyncIterator[Writer]:
    """A writer for the length of the block; its pod and its writes are removed at the end.

    Raises:
        WaitTimeoutError: It cannot start, or cannot write.
    """
    opened = {}
    if postgres is not None:
        opened["postgres"] = writer_objects.pool_policy(postgres.name)
    if redis is not None:
        opened["redis"] = writer_objects.redis_policy(redis.name)
    replicas = redis.replicas(redis_names.REDIS) - 1 if redis is not None else 0
    objects = writer_objects.objects(plan, opened, replicas)
    writer = Writer(kube, plan.namespace, tuple(opened))
    try:
        await remove_pod(kube, plan.namespace)  # one that a killed drill has left
        for body in objects:
            await kube.apply(body, namespace=plan.namespace)
        await kube.wait_for("v1", "Pod", NAME, plan.namespace, _pending_reason, READY_S)
        await writer.start()
        yield writer
    finally:
        await asyncio.shield(_remove(writer, kube, plan.namespace, objects))


async def remove_pod(kube: Kube, namespace: str) -> None:
    """Delete the pod, and wait until it is gone.

    Raises:
        WaitTimeoutError: It is not in time.
    """
    if await kube.delete("v1", "Pod", NAME, namespace):
        await kube.wait_for("v1", "Pod", NAME, namespace, _present_reason, CLEAN_S)


def _present_reason(pod: writer_objects.Manifest | None) -> str | None:
    return None if pod is None else "an earlier writer's pod is being deleted"


def _pending_reason(pod: writer_objects.Manifest | None) -> str | None:
    return None if pod is not None and is_pod_ready(pod) else "the writer's pod is not ready"


async def _remove(
    writer: Writer, kube: Kube, namespace: str, objects: Sequence[writer_objects.Manifest]
) -> None:
    """Remove the writes and the objects; the pod ends by itself where this fails."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLEAN_S):
            with contextlib.suppress(VrooliError):  # the next drill removes what is left
                await writer.clean()
    for body in reversed(objects):
        with contextlib.suppress(VrooliError):  # the pod has a deadline
            await kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"], namespace)
