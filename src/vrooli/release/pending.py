"""Clean up after a Helm process that was killed: its pending record, then its objects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.kube.objects import uid_of
from vrooli.release.model import DEPLOYED, Release, Revision, secret_name
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord

# The age at which a pending revision counts as abandoned, seconds. Our Helm does not wait for pods
# and takes a few seconds; another Helm may wait, by default for five minutes.
STALE_S, FOREIGN_STALE_S = 15.0, 300.0
# When our operation started, seconds since 1970. Helm copies labels to later records, so a record
# is ours only if Helm's own time is the same.
BEGAN = "vrooli.com/began"
SAME_S = 30.0
# The annotation that Helm writes to every object of a release.
_OWNER = "meta.helm.sh/release-name"


@dataclass(frozen=True)
class Settled:
    """The state of a release while no Helm operation is pending.

    Attributes:
        record: Helm's newest completed record, or None.
        leftovers: Objects that may exist in addition to those of the last deployed revision.
    """

    record: ReleaseRecord | None
    leftovers: tuple[Manifest, ...] = ()


def signature() -> Mapping[str, str]:
    """The label that marks a record as ours."""
    return {BEGAN: f"{time.time():.0f}"}


async def settle(
    kube: Kube, release: Release, fetched: ReleaseRecord | None, progress: Progress
) -> Settled:
    """Wait for another Helm operation, or delete the record of a killed one; objects stay.

    Args:
        kube: The cluster.
        release: The release.
        fetched: Helm's newest record; None fetches it.
        progress: Receives what is waited for.
    """
    is_reported, leftovers = False, list[Manifest]()
    record = fetched or await storage.fetch_record(kube, release)
    while record is not None and record.revision.is_pending:
        revision = record.revision
        if await _is_stale(kube, release, revision):
            progress.report(
                f"deletes the record of revision {revision.number}, left {revision.status}"
            )
            secret = secret_name(release.name, revision.number)
            await kube.delete("v1", "Secret", secret, release.namespace)
            leftovers += record.manifests
        else:
            if not is_reported:
                progress.report(f"waiting for another Helm operation ({revision.status})")
            is_reported = True
            await asyncio.sleep(1.0)
        record = await storage.fetch_record(kube, release)
    if record is not None and record.revision.status != DEPLOYED:
        # Helm compares the next revision with the last deployed one and ignores these.
        leftovers += record.manifests
    return Settled(record, tuple(leftovers))


async def delete_leftovers(
    kube: Kube,
    release: Release,
    leftovers: Iterable[Manifest],
    desired: Iterable[Manifest],
    progress: Progress,
) -> None:
    """Delete leftovers that the new revision does not contain."""
    desired_keys = {item.key for item in desired}
    for item in leftovers:
        if (
            item.key in desired_keys
            or item.is_hook
            or item.annotations.get(RESOURCE_POLICY) == "keep"
        ):
            continue
        body = await kube.get(item.api_version, item.kind, item.name, item.namespace)
        annotations = (body or {"metadata": {}})["metadata"].get("annotations") or {}
        if annotations.get(_OWNER) == release.name:
            progress.report(f"deletes {item.key}, left by an unfinished deploy")
            place = (item.api_version, item.kind, item.name, item.namespace)
            await kube.delete(*place, uid=uid_of(body))


async def _is_stale(kube: Kube, release: Release, revision: Revision) -> bool:
    if revision.deployed_at is None:
        return True
    age_s = (datetime.now(UTC) - revision.deployed_at).total_seconds()
    if age_s >= FOREIGN_STALE_S:
        return True
    return age_s >= STALE_S and await _is_ours(kube, release, revision)


async def _is_ours(kube: Kube, release: Release, revision: Revision) -> bool:
    """Whether vrooli made it under the Lease; or a rollback, which does not wait for pods."""
    if revision.status == "pending-rollback":
        return True
    secret = secret_name(release.name, revision.number)
    record = await kube.get("v1", "Secret", secret, release.namespace)
    began = ((record or {}).get("metadata", {}).get("labels") or {}).get(BEGAN, "")
    if revision.deployed_at is None or not began.isdigit():
        return False
    return bool(abs(revision.deployed_at.timestamp() - int(began)) < SAME_S)
