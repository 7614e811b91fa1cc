"""Why pods fail, in one line for each workload, operator and Vault that `status` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube
from vrooli.kube.objects import Body, Ref
from vrooli.kube.snapshot import Snapshot
from vrooli.release import secret_redaction
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
        *(
            _failure_line(kube, snapshot.namespace, _pods(manifests[key], snapshot))
            for key in reasons
        )
    )
    return {
        key: _with_line(reason, line)
        for (key, reason), line in zip(reasons.items(), lines, strict=True)
    }


async def add_failure(kube: Kube, reason: str, namespace: str, selector: str) -> str:
    """Add the failure of a pod to the reason of its workload outside of the release.

    Args:
        kube: The cluster.
        reason: Why the workload is not ready.
        namespace: The namespace of the workload, whose Secrets are redacted in the line.
        selector: The label selector of its pods.
    """
    pods = await kube.list("v1", "Pod", namespace, selector)
    line = await _failure_line(kube, namespace, pods)
    if not line:
        return reason
    redactor = await secret_redaction.redactor(kube, namespace)
    return _with_line(reason, redactor.text(line))


def _pods(manifest: Manifest, snapshot: Snapshot) -> list[Body]:
    return snapshot.pods_of(Ref(manifest.kind, manifest.name, snapshot.namespace))


def _with_line(reason: str, line: str) -> str:
    return f"{reason}; {line}" if line else reason


async def _failure_line(kube: Kube, namespace: str, pods: Iterable[Body]) -> str:
    """The first failure of a workload's pods; empty if no pod fails by itself."""
    failures = find_failures(pods, datetime.now(UTC))
    if not failures:
        return ""
    first = min(failures, key=lambda failure: failure.place)
    cause = await _cause(kube, namespace, first)
    return f"{first}: {cause}" if cause else str(first)


async def _cause(kube: Kube, namespace: str, failure: PodFailure) -> str:
    """The line of the log with the cause; empty if the container has no readable log."""
    if not failure.crashed:
        return ""
    return find_cause_line(await fetch_crash_log(kube, namespace, failure, attempts=1))
