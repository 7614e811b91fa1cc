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

from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest
from vrooli.release import process_identity
from vrooli.release.model import Release
from vrooli.steps import first_error

API, KIND = "coordination.k8s.io/v1", "Lease"
# A holder that hasn't renewed for so long is taken for dead, seconds.
LASTS_S = 30
# Three tries before that, seconds.
RENEW_S = 10.0
# How long a silent holder is looked at before it is taken over: its clock may be another, seconds.
LISTEN_S = RENEW_S + 2.0
CONFLICT = 409
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
        return silent or process_identity.is_dead(self.process)

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


async def is_ours(kube: Kube, release: Release) -> bool:
    """Whether this process holds a release: another may have taken it over."""
    found = await holder(kube, release)
    return found is not None and found.name == process_identity.name()


async def refuse_if_held(kube: Kube, release: Release) -> None:
    """Say early that another deploy runs; changes nothing. Who may not look is told later.

    Raises:
        PrerequisiteError: One does.
    """
    now = datetime.now(UTC)
    try:
        found = await holder(kube, release)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return
    if found is not None and not found.is_stale(now):
        raise _held(release, found, now)


@asynccontextmanager
async def held(kube: Kube, release: Release, progress: Progress) -> AsyncIterator[None]:
    """Hold a release for the length of the block; its namespace is made if it isn't there.

    Raises:
        PrerequisiteError: Another deploy holds it, or has taken it over meanwhile.
    """
    me = process_identity.name()
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
        with contextlib.suppress(ApiError, PrerequisiteError):
            await _let_go(kube, release, me)


async def _ensure_namespace(kube: Kube, name: str) -> None:
    """The Lease is kept in it; its labels come with the release."""
    with contextlib.suppress(ApiError):  # another was faster, or whatever follows says it better
        if await kube.get("v1", "Namespace", name) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await kube.create(namespace)


async def _take(kube: Kube, release: Release, me: str, progress: Progress) -> None:
    """Make the Lease, or take over one whose holder has died; one of two that try wins."""
    there = await _left(kube, release, progress)
    now = datetime.now(UTC)
    metadata: dict[str, Any] = {
        "name": lease_name(release),
        "namespace": release.namespace,
        "annotations": {PROCESS: process_identity.process()},
    }
    wanted = {"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": _spec(me, now, now)}
    try:
        if there is None:
            await kube.create(wanted, release.namespace)
        else:
            progress.report(f"takes over from {read(there).told(now)}")
            version = there["metadata"]["resourceVersion"]
            metadata["resourceVersion"] = version  # whoever was faster has made another
            await kube.replace(wanted)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        winner = await holder(kube, release) or Holder("another", now, now, LASTS_S)
        raise _held(release, winner, now) from error


async def _left(kube: Kube, release: Release, progress: Progress) -> Manifest | None:
    """The Lease that a dead holder has left; None when there is none.

    Raises:
        PrerequisiteError: Its holder lives.
    """
    there = await kube.get(API, KIND, lease_name(release), release.namespace)
    if there is None:
        return None
    found, now = read(there), datetime.now(UTC)
    if not found.is_stale(now):
        raise _held(release, found, now)
    if process_identity.is_dead(found.process):
        return there
    # Only its clock says so, which may be late.
    progress.report(f"sees whether {found.name} still lives")
    await asyncio.sleep(LISTEN_S)
    there = await kube.get(API, KIND, lease_name(release), release.namespace)
    if there is not None and read(there) != found:
        raise _held(release, read(there), datetime.now(UTC))
    return there


async def _renew(kube: Kube, release: Release, me: str) -> None:
    """Give a sign of life again and again.

    Raises:
        PrerequisiteError: Another has taken the release over, or this may not be done.
        ApiError: It could not be done for so long that others take this one for dead.
    """
    renewed = time.monotonic()
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            there = await kube.get(API, KIND, lease_name(release), release.namespace)
            if there is not None and read(there).name == me:
                spec = _spec(me, read(there).since, datetime.now(UTC))
                await kube.replace({**there, "spec": spec})
                renewed = time.monotonic()
                continue
        except (ApiError, PrerequisiteError) as error:
            if isinstance(error, ApiError) and error.is_forbidden:
                raise _refused(release, error) from error
            if time.monotonic() - renewed > LASTS_S:
                raise
            continue
        raise _taken(release, there)


def _taken(release: Release, there: Mapping[str, Any] | None) -> PrerequisiteError:
    whom = "its Lease is gone." if there is None else f"{read(there).name}."
    return PrerequisiteError(
        f"Another deploy has taken {release.name} over: {whom}",
        "See what it does: `vrooli status`.",
    )


def _refused(release: Release, error: ApiError) -> PrerequisiteError:
    return PrerequisiteError(
        f"The Lease of {release.name} can't be renewed, so that another deploy could take it over: "
        f"{error.message}",
        f"Ask for get and update on Leases in namespace {release.namespace}, then deploy again.",
    )


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


def _held(release: Release, found: Holder, now: datetime) -> PrerequisiteError:
    return PrerequisiteError(
        f"Another deploy of {release.name} runs: {found.told(now)}.",
        f"Wait for its end. One that has died is taken over {LASTS_S} s after its last sign.",
    )
