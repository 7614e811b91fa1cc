"""Status shows a restore in place that has not ended, at the PostgresCluster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.backups import restored
from vrooli.backups.restored import Phase, Restored
from vrooli.release import Release
from vrooli.workflows.restores import unfinished as unfinished_restores
from vrooli.workflows.results.status import WorkloadView

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RECORD = Restored("vrooli-pg-0", "11:55", NOON, NOON, Phase.SWITCHED)

pytestmark = pytest.mark.anyio


async def _detail(kind: str = "PostgresCluster", *, ready: bool = True) -> str:
    body = {
        "kind": "ConfigMap",
        "metadata": {"name": "vrooli-pg-restore", "namespace": "dev"},
        "data": {restored.KEY: restored.format_record(RECORD)},
    }
    cluster = FakeCluster(namespace(), body)
    workload = WorkloadView(kind=kind, name="vrooli-pg", ready=ready, detail="" if ready else "no")
    (annotated,) = await unfinished_restores.annotate(cluster, RELEASE, [workload])
    assert annotated.ready is ready
    return annotated.detail


async def test_a_restore_that_has_not_ended_is_named_with_the_commands_that_end_it() -> None:
    detail = await _detail()
    assert detail.startswith("the restore to 11:55 that was started at ")
    assert "`vrooli restore --finish` or `vrooli restore --undo`" in detail


async def test_it_follows_why_the_cluster_is_not_ready() -> None:
    assert (await _detail(ready=False)).startswith("no; the restore to 11:55 ")


async def test_other_kinds_stay_as_they_are() -> None:
    assert await _detail("RedisFailover") == ""
