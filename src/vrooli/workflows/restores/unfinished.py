"""Restores of PostgreSQL in place that are neither finished nor undone, as `status` shows them."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.backups import restored
from vrooli.kube import Kube
from vrooli.operators.pgo import names
from vrooli.release import Release
from vrooli.workflows.results.status import WorkloadView


async def annotate(
    kube: Kube, release: Release, workloads: Iterable[WorkloadView]
) -> tuple[WorkloadView, ...]:
    """The workloads; a PostgresCluster with its restore that has not ended."""
    return tuple([await _annotated(kube, release, item) for item in workloads])


async def _annotated(kube: Kube, release: Release, workload: WorkloadView) -> WorkloadView:
    if workload.kind != names.KIND:
        return workload
    record = await restored.read(kube, workload.name, release.namespace)
    if record is None:
        return workload
    detail = f"{workload.detail}; {record.note}" if workload.detail else record.note
    return workload.model_copy(update={"detail": detail})
