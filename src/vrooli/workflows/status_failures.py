"""Why pods of a release fail, in one line for each workload that `status` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube
from vrooli.kube.objects import Ref
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout.crash_log import fetch_crash_log
from vrooli.release.rollout.failures import PodFailure, find_failures
from vrooli.release.rollout.log_cause import find_cause_line


async def add_failures(
    kube: Kube, manifests: Mapping[str, Manifest], reasons: Mapping[str, str], snapshot: Snapshot
) -> dict[str, str]:
    """Add the failure of a pod, with the cause in its log, to the reason of its workload.

    Args:
        kube: The cluster.
        manifests: The workloads by kind and name.
        reasons: Why workloads are not ready, by kind and name; they are not redacted.
        snapshot: The objects of the release.
    """
    lines = await asyncio.gather(
        *(_failure_line(kube, manifests[key], snapshot) for key in reasons)
    )
    return {
        key: f"{reason}; {line}" if line else reason
        for (key, reason), line in zip(reasons.items(), lines, strict=True)
    }


async def _failure_line(kube: Kube, manifest: Manifest, snapshot: Snapshot) -> str:
    """The first failure of a workload's pods; empty if no pod fails by itself."""
    pods = snapshot.pods_of(Ref(manifest.kind, manifest.name, snapshot.namespace))
    failures = find_failures(pods, datetime.now(UTC))
    if not failures:
        return ""
    first = min(failures, key=lambda failure: failure.place)
    cause = await _cause(kube, snapshot.namespace, first)
    return f"{first}: {cause}" if cause else str(first)


async def _cause(kube: Kube, namespace: str, failure: PodFailure) -> str:
    """The line of the log with the cause; empty if the container has no readable log."""
    if not failure.crashed:
        return ""
    return find_cause_line(await fetch_crash_log(kube, namespace, failure, attempts=1))
