"""One deploy of a release at a time: a Lease beside it, held and renewed by whoever is at work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vrooli.errors import EnvironmentLackError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.release import identity
from vrooli.release.history import Release
from vrooli.steps import first_error

API, KIND = "coordination.k8s.io/v1", "Lease"
# A holder that hasn't renewed for so long is taken for dead, seconds.
LASTS_S = 30
# Three tries before that, seconds.
RENEW_S = 10.0
FORBIDDEN, CONFLICT = 403, 409
# Which process holds it, for others on the same machine.
PROCESS = "vrooli.com/process"


@dataclass(frozen=True)
class Holder:
    """Who holds a release.

    Attributes:
        name: The user, the host and the process.
        since: When it took it.
        renewed: Its last sign of life.
        lasts_s: How long after that it is taken for alive, seconds.
        process: Which process of which machine it is, as ``identity`` has it; may be empty.
    """

    name: str
    since: datetime
    renewed: datetime
    lasts_s: int
    process: str = ""

    def is_stale(self, now: datetime) -> bool:
        """Whether it has died without letting go: known at once of a process of this machine."""
        silent = now - self.renewed > timedelta(seconds=self.lasts_s)
        return silent or identity.is_dead(self.process)

    def told(self, now: datetime) -> str:
        """Who it is and since when, for a message."""
        age, sign = ((now - time).total_seconds() for time in (self.since, self.renewed))
        return f"{self.name}, since {age:.0f} s, last sign of life {sign:.0f} s ago"


def lease_name(release: Release) -> str:
    """The Lease of a release."""
    return f"{release.name}-deploy"


async def holder(kube: Kube, release: Release) -> Holder | None:
    """Who holds a release now, dead or alive."""
    found = await kube.get(API, KIND, lease_name(release), release.namespace)
    return None if found is None else read(found)


async def refuse_if_held(kube: Kube, release: Release) -> None:
    """Say early that another deploy runs; changes nothing. Who may not look is told later.

    Raises:
        EnvironmentLackError: One does.
    """
    now = datetime.now(UTC)
    try:
        found = await holder(kube, release)
    except ApiError as error:
        if error.status != FORBIDDEN:
            raise
        return
    if found is not None and not found.is_stale(now):
        raise _held(release, found, now)


@asynccontextmanager
async def held(kube: Kube, release: Release, progress: Progress) -> AsyncIterator[None]:
    """Hold a release for the length of the block; its namespace is made if it isn't there.

    Raises:
        EnvironmentLackError: Another deploy holds it, or has taken it over meanwhile.
    """
    me = identity.name()
    await _ensure_namespace(kube, release.namespace)
    await _take(kube, release, me, progress)
    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(_renew(kube, release, me))
            yield
            renewing.cancel()
    except BaseExceptionGroup as errors:  # the block's own error is nobody's group
        raise first_error(errors) from None
    finally:
        with contextlib.suppress(ApiError, EnvironmentLackError):
            await _let_go(kube, release, me)


async def _ensure_namespace(kube: Kube, name: str) -> None:
    """The Lease is kept in it; its labels come with the release."""
    with contextlib.suppress(ApiError):  # another was faster, or whatever follows says it better
        if await kube.get("v1", "Namespace", name) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await kube.create(namespace)


async def _take(kube: Kube, release: Release, me: str, progress: Progress) -> None:
    """Make the Lease, or take over one whose holder has died; one of two that try wins."""
    now = datetime.now(UTC)
    metadata: dict[str, Any] = {
        "name": lease_name(release),
        "namespace": release.namespace,
        "annotations": {PROCESS: identity.process()},
    }
    wanted = {"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": _spec(me, now, now)}
    there = await kube.get(API, KIND, lease_name(release), release.namespace)
    found = None if there is None else read(there)
    if found is not None and not found.is_stale(now):
        raise _held(release, found, now)
    try:
        if there is None or found is None:
            await kube.create(wanted, release.namespace)
        else:
            progress.say(f"takes over from {found.told(now)}")
            version = there["metadata"]["resourceVersion"]
            metadata["resourceVersion"] = version  # whoever was faster has made another
            await kube.replace(wanted)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        winner = await holder(kube, release)
        raise _held(
            release, winner or found or Holder("another", now, now, LASTS_S), now
        ) from error


async def _renew(kube: Kube, release: Release, me: str) -> None:
    answered = time.monotonic()
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            there = await kube.get(API, KIND, lease_name(release), release.namespace)
        except (ApiError, EnvironmentLackError):
            if time.monotonic() - answered > LASTS_S:
                raise  # by now others take this one for dead
            continue
        answered = time.monotonic()
        found = None if there is None else read(there)
        if there is None or found is None or found.name != me:
            raise EnvironmentLackError(
                f"Another deploy has taken {release.name} over"
                + (f": {found.name}." if found else ": its Lease is gone."),
                "See what it does: `vrooli status`.",
            )
        with contextlib.suppress(ApiError, EnvironmentLackError):  # there are two more tries
            spec = _spec(me, found.since, datetime.now(UTC))
            await kube.replace({**there, "spec": spec})


async def _let_go(kube: Kube, release: Release, me: str) -> None:
    found = await holder(kube, release)
    if found is not None and found.name == me:
        await kube.delete(API, KIND, lease_name(release), release.namespace)


def _spec(me: str, since: datetime, now: datetime) -> dict[str, Any]:
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": LASTS_S,
        "acquireTime": _text(since),
        "renewTime": _text(now),
    }


def _text(time: datetime) -> str:
    """A time as Kubernetes' MicroTime."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(lease: Mapping[str, Any]) -> Holder:
    """Who holds it, as a Lease says."""
    spec = lease.get("spec", {})
    since = spec.get("acquireTime") or lease["metadata"]["creationTimestamp"]
    return Holder(
        name=spec.get("holderIdentity", "nobody"),
        since=datetime.fromisoformat(since),
        renewed=datetime.fromisoformat(spec.get("renewTime") or since),
        lasts_s=spec.get("leaseDurationSeconds", LASTS_S),
        process=(lease["metadata"].get("annotations") or {}).get(PROCESS, ""),
    )


def _held(release: Release, found: Holder, now: datetime) -> EnvironmentLackError:
    return EnvironmentLackError(
        f"Another deploy of {release.name} runs: {found.told(now)}.",
        f"Wait for its end. One that has died is taken over {LASTS_S} s after its last sign.",
    )
