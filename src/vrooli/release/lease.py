"""The lock of a release: a Lease that each deploy holds and renews."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest, objects
from vrooli.kube.api_errors import NoAnswerError
from vrooli.release import process_identity
from vrooli.release.model import Release
from vrooli.steps import first_error

API, KIND = "coordination.k8s.io/v1", "Lease"
# A Lease that was not renewed for this long is stale, seconds.
DURATION_S = 30
# The interval of renewals, and the time limit of one, seconds.
RENEW_S, ATTEMPT_S = 5.0, 5.0
# How long a stale Lease is observed before it is taken over, seconds: clocks may differ, and
# earlier versions renew it every 10 s.
LISTEN_S = 12.0
# The holder gives up before another can take over, which is DURATION_S + LISTEN_S after the last
# renewal: the next attempt, with its pause, must end before, seconds.
GIVE_UP_S = DURATION_S + LISTEN_S - 2.0 - RENEW_S - ATTEMPT_S
CONFLICT = 409
# The annotation with the holder's process, for others on the same machine.
PROCESS = "vrooli.com/process"


@dataclass(frozen=True)
class Holder:
    """The holder of a release's lock.

    Attributes:
        name: The user, the host and the process.
        since: When it acquired the lock.
        renewed: When it renewed the lock last.
        duration_s: How long after ``renewed`` the holder counts as alive, seconds.
        process: The process and its machine, see ``process_identity``; may be empty.
    """

    name: str
    since: datetime
    renewed: datetime
    duration_s: int
    process: str = ""

    def is_stale(self, now: datetime) -> bool:
        """Whether the holder is gone; certain at once for a process of this machine."""
        silent = now - self.renewed > timedelta(seconds=self.duration_s)
        return silent or process_identity.is_dead(self.process)

    def format(self, now: datetime) -> str:
        """The holder and its times, for a message."""
        age, sign = ((now - time).total_seconds() for time in (self.since, self.renewed))
        return f"{self.name}, since {age:.0f} s, last renewed {sign:.0f} s ago"


def lease_name(release: Release) -> str:
    """The name of a release's Lease."""
    return f"{release.name}-deploy"


async def fetch_holder(kube: Kube, release: Release) -> Holder | None:
    """Fetch the holder of a release's lock, stale or not."""
    current = await kube.get(API, KIND, lease_name(release), release.namespace)
    return None if current is None else parse_holder(current)


async def is_ours(kube: Kube, release: Release) -> bool:
    """Whether this process holds the lock; another may have taken it over."""
    current = await fetch_holder(kube, release)
    return current is not None and current.name == process_identity.name()


async def demand_free(kube: Kube, release: Release) -> None:
    """Refuse early while another deploy runs; changes nothing.

    Without the permission to read Leases, :func:`hold` refuses later.

    Raises:
        PrerequisiteError: Another deploy runs.
    """
    now = datetime.now(UTC)
    try:
        current = await fetch_holder(kube, release)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return
    if current is not None and not current.is_stale(now):
        raise _held_error(release, current, now)


@asynccontextmanager
async def hold(kube: Kube, release: Release, progress: Progress) -> AsyncIterator[None]:
    """Hold the lock during the block; the namespace is created if it does not exist.

    Requests in the block wait for an API server that does not answer for a while.

    Raises:
        PrerequisiteError: Another deploy holds the lock, or took it over.
    """
    me = process_identity.name()
    await _ensure_namespace(kube, release.namespace)
    renewed = await _acquire(kube, release, me, progress)
    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(_renew(kube, release, me, renewed))
            with kube.patient():
                yield
            renewing.cancel()
    except BaseExceptionGroup as errors:  # raise the block's own error without a group
        raise first_error(errors) from None
    finally:
        with contextlib.suppress(ApiError, PrerequisiteError, TimeoutError):
            async with asyncio.timeout(ATTEMPT_S):
                await _release_lease(kube, release, me)


async def _ensure_namespace(kube: Kube, name: str) -> None:
    """Create the namespace of the Lease; the release adds its labels."""
    with contextlib.suppress(ApiError):  # the next request reports it better
        if await kube.get("v1", "Namespace", name) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await kube.create(namespace)


async def _acquire(kube: Kube, release: Release, me: str, progress: Progress) -> float:
    """Create the Lease, or take over a stale one; one of two attempts wins.

    Returns:
        When its time of renewal was set, by the monotonic clock.
    """
    lease = await _fetch_stale(kube, release, progress)
    now, renewed = datetime.now(UTC), time.monotonic()
    metadata: dict[str, Any] = {
        "name": lease_name(release),
        "namespace": release.namespace,
        "annotations": {PROCESS: process_identity.process()},
    }
    desired = {"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": _spec(me, now, now)}
    try:
        if lease is None:
            await kube.create(desired, release.namespace)
        else:
            progress.report(f"takes over from {parse_holder(lease).format(now)}")
            version = lease["metadata"]["resourceVersion"]
            metadata["resourceVersion"] = version  # a concurrent takeover has changed it
            await kube.replace(desired)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        winner = await fetch_holder(kube, release) or Holder("another", now, now, DURATION_S)
        raise _held_error(release, winner, now) from error
    return renewed


async def _fetch_stale(kube: Kube, release: Release, progress: Progress) -> Manifest | None:
    """Fetch the stale Lease; None if there is no Lease.

    Raises:
        PrerequisiteError: Its holder is alive.
    """
    lease = await kube.get(API, KIND, lease_name(release), release.namespace)
    if lease is None:
        return None
    current, now = parse_holder(lease), datetime.now(UTC)
    if not current.is_stale(now):
        raise _held_error(release, current, now)
    if process_identity.is_dead(current.process):
        return lease
    # The holder's clock may be behind ours.
    progress.report(f"checking whether {current.name} is still alive")
    await asyncio.sleep(LISTEN_S)
    lease = await kube.get(API, KIND, lease_name(release), release.namespace)
    if lease is not None and parse_holder(lease) != current:
        raise _held_error(release, parse_holder(lease), datetime.now(UTC))
    return lease


async def _renew(kube: Kube, release: Release, me: str, renewed: float) -> None:
    """Renew the Lease until cancelled.

    Args:
        kube: The cluster.
        release: The release.
        me: The holder.
        renewed: When its time of renewal was set, by the monotonic clock.

    Raises:
        PrerequisiteError: Another deploy took over the lock, or the permission is missing.
        ApiError: The Lease could not be renewed before it became stale.
        NoAnswerError: The API server did not answer for that long.
    """
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            async with asyncio.timeout(ATTEMPT_S):
                lease = await kube.get(API, KIND, lease_name(release), release.namespace)
                if lease is not None and parse_holder(lease).name == me:
                    began = time.monotonic()  # others count from the time that is written
                    spec = _spec(me, parse_holder(lease).since, datetime.now(UTC))
                    await kube.replace({**lease, "spec": spec})
                    renewed = began
                    continue
        except (ApiError, PrerequisiteError, TimeoutError) as error:
            if isinstance(error, ApiError) and error.is_forbidden:
                raise _renewal_error(release, error) from error
            if time.monotonic() - renewed > GIVE_UP_S:
                if isinstance(error, ApiError):
                    raise
                raise _silence_error(release, error) from error
            continue
        raise _taken_over_error(release, lease)


def _taken_over_error(release: Release, lease: Mapping[str, Any] | None) -> PrerequisiteError:
    successor = "its Lease is gone." if lease is None else f"{parse_holder(lease).name}."
    return PrerequisiteError(
        f"Another deploy took over the lock of {release.name}: {successor}",
        "See its progress: `vrooli status`.",
    )


def _silence_error(release: Release, error: Exception) -> NoAnswerError:
    reason = f": {error.message}" if isinstance(error, VrooliError) else "."
    return NoAnswerError(
        f"The Lease of {release.name} could not be renewed for {GIVE_UP_S:.0f} s{reason}",
        "Another command may change the release: see `vrooli status`.",
    )


def _renewal_error(release: Release, error: ApiError) -> PrerequisiteError:
    return PrerequisiteError(
        f"The Lease of {release.name} can't be renewed, so another deploy could take it over: "
        f"{error.message}",
        f"Request the permissions to get and update Leases in namespace {release.namespace}, "
        "then deploy again.",
    )


async def _release_lease(kube: Kube, release: Release, me: str) -> None:
    place = (API, KIND, lease_name(release), release.namespace)
    current = await kube.get(*place)
    if current is not None and parse_holder(current).name == me:
        await kube.delete(*place, uid=objects.uid_of(current))


def _spec(me: str, since: datetime, now: datetime) -> dict[str, Any]:
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": DURATION_S,
        "acquireTime": _text(since),
        "renewTime": _text(now),
    }


def _text(time: datetime) -> str:
    """A time as Kubernetes' MicroTime."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_holder(lease: Mapping[str, Any]) -> Holder:
    """Parse the holder of a Lease."""
    spec = lease.get("spec", {})
    since = spec.get("acquireTime") or lease["metadata"]["creationTimestamp"]
    return Holder(
        name=spec.get("holderIdentity", "nobody"),
        since=datetime.fromisoformat(since),
        renewed=datetime.fromisoformat(spec.get("renewTime") or since),
        duration_s=spec.get("leaseDurationSeconds", DURATION_S),
        process=objects.annotations_of(lease).get(PROCESS, ""),
    )


def _held_error(release: Release, current: Holder, now: datetime) -> PrerequisiteError:
    return PrerequisiteError(
        f"Another deploy of {release.name} is running: {current.format(now)}.",
        f"Wait until it ends. The lock of a killed process expires {DURATION_S} s after its last "
        "renewal.",
    )
