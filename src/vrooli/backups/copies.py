"""Builds and removes restored copies of PostgreSQL in a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vrooli import shell
from vrooli.backups import clones, isolation
from vrooli.backups.clones import POLICIES, Place
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest
from vrooli.kube.objects import Body, items, name, number
from vrooli.kube.pods import LogRange
from vrooli.kube.status import find_condition
from vrooli.operators.pgo import names
from vrooli.steps import first_error

# PGO's condition of a cluster whose data was restored.
INITIALIZED = "PostgresDataInitialized"
# The time limit of deleting a copy, with its volumes, seconds.
DELETE_S = 120.0
# The lines of a failed restore that are searched for its reason.
_TAIL = 60


async def find(kube: Kube, place: Place) -> Body | None:
    """The PostgresCluster of a copy; None if there is none.

    Raises:
        PrerequisiteError: There is one that no restore has made.
    """
    body = await kube.get(names.API_VERSION, names.KIND, place.name, place.namespace)
    if body is not None and not clones.is_copy(body):
        raise PrerequisiteError(
            f"PostgresCluster {place} exists and is not a restored copy.",
            "Use another name: `vrooli restore --into NAMESPACE/NAME`.",
        )
    return body


async def remove(kube: Kube, place: Place, progress: Progress) -> bool:
    """Remove a copy with its volumes; returns whether there was one.

    Raises:
        PrerequisiteError: A PostgresCluster of this name was not made by a restore.
        WaitTimeoutError: It was not deleted in time.
    """
    if await find(kube, place) is None:
        return False
    progress.report(f"deletes the copy {place}")
    await kube.delete(names.API_VERSION, names.KIND, place.name, place.namespace)
    await kube.wait_for(
        names.API_VERSION,
        names.KIND,
        place.name,
        place.namespace,
        lambda body: None if body is None else "the operator is deleting it",
        DELETE_S,
    )
    await _delete_policy(kube, isolation.members_name(place), place.namespace)
    return True


async def isolate(kube: Kube, place: Place, source: Body) -> None:
    """Make a place for a copy, as closed as its source; a namespace of others is not changed."""
    namespace = source["metadata"]["namespace"]
    policies = await kube.list(POLICIES, "NetworkPolicy", namespace)
    members = isolation.members(place, source, policies)
    around = await kube.get("v1", "Namespace", place.namespace)
    if around is None or clones.is_copy(around):
        origin = await kube.get("v1", "Namespace", namespace)
        await kube.apply(isolation.namespace(place, origin or {}))
        await kube.apply(isolation.default_deny(place, members))
    await kube.apply(members)


@asynccontextmanager
async def readable_repository(kube: Kube, source: Body, place: Place) -> AsyncIterator[None]:
    """Let a copy read the repository of its source during the block."""
    policies = isolation.repository_access(source, place)
    try:
        for policy in policies:
            await kube.apply(policy)
        yield
    finally:
        for policy in policies:
            metadata = policy["metadata"]
            with contextlib.suppress(VrooliError):
                await asyncio.shield(_delete_policy(kube, metadata["name"], metadata["namespace"]))


async def _delete_policy(kube: Kube, name: str, namespace: str) -> None:
    await kube.delete(POLICIES, "NetworkPolicy", name, namespace)


async def build(kube: Kube, body: Body, progress: Progress, timeout_s: float) -> Postgres:
    """Create a copy, and wait until its data is restored and it accepts connections.

    Raises:
        VrooliError: The restore failed; the message has its reason.
        WaitTimeoutError: It was not complete in time.
    """
    place = Place(name(body), body["metadata"]["namespace"])
    await kube.apply(body)

    async def wait() -> Manifest:
        return await kube.wait_for(
            names.API_VERSION,
            names.KIND,
            place.name,
            place.namespace,
            unready_reason,
            timeout_s,
            progress,
        )

    async def fail() -> None:
        job = f"{place.name}-pgbackrest-restore"
        await kube.wait_for("batch/v1", "Job", job, place.namespace, _not_failed_reason, timeout_s)
        raise await _failure(kube, place, job)

    try:
        async with asyncio.TaskGroup() as group:
            waiting, failing = group.create_task(wait()), group.create_task(fail())
            waiting.add_done_callback(lambda _: failing.cancel())
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None
    return Postgres(kube, waiting.result())


def unready_reason(body: Body | None) -> str | None:
    """Why a copy cannot be read yet; None if it can."""
    if body is None:
        return "its PostgresCluster does not exist"
    condition = find_condition(body, INITIALIZED)
    if condition is None or not condition.is_true:
        return "pgBackRest restores the data"
    desired = sum(number(item, "replicas", default=1) for item in items(body, "spec", "instances"))
    ready = sum(number(item, "readyReplicas") for item in items(body, "status", "instances"))
    if ready < desired:
        return f"{ready} of {desired} instances are ready"
    return None


def _not_failed_reason(body: Body | None) -> str | None:
    return None if number(body or {}, "status", "failed") else "it has not failed"


async def _failure(kube: Kube, place: Place, job: str) -> VrooliError:
    """The reason why pgBackRest or PostgreSQL stopped, from the log of its pod."""
    pods = await kube.list("v1", "Pod", place.namespace, f"job-name={job}")
    lines: list[str] = []
    for pod in pods:
        with contextlib.suppress(ApiError, VrooliError):
            reading = kube.logs(place.namespace, name(pod), part=LogRange(tail=_TAIL))
            lines += [line async for line in reading]
    reasons = [line for line in lines if "ERROR:" in line or "FATAL:" in line]
    reason = reasons[-1].partition(":  ")[2] or reasons[-1] if reasons else "its log has no reason"
    return VrooliError(
        f"PostgreSQL could not be restored to {place}: {reason.strip()}",
        shell.checked(
            f"To read the log: `kubectl logs -n {shell.label(place.namespace)} "
            f"job/{shell.segment(job)}`. The live data was not changed."
        ),
    )
