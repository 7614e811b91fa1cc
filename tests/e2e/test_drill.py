"""Drills of the live release: quick faults under load, and nothing left of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster.live import Live
from vrooli.databases.postgres.session import Postgres
from vrooli.drills.model import RequestedLimits
from vrooli.drills.writer_objects import NAME
from vrooli.drills.writer_program import TABLE
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.workflows.drills.drill import DrillOptions, drill

pytestmark = [pytest.mark.root, pytest.mark.anyio]

QUICK = ("pgbouncer-deleted", "sentinels-deleted", "kube-apiserver-killed")
# The test machine runs other tests meanwhile: pauses are measured, not judged, seconds.
LENIENT = RequestedLimits(postgres_s=60.0, redis_s=60.0, failed_reads=20_000)


@pytest.mark.timeout(300)
async def test_a_killed_redis_has_all_that_it_acknowledged(live: Live, kube: Kube) -> None:
    """It is the only one: what it does not read from its own log is lost."""
    options = DrillOptions(
        *(live.environment, ("redis-killed",), live.cluster), is_loaded=True, limits=LENIENT
    )
    result = await drill(options, silent)
    assert result.ok, result
    (redis,) = result.drills
    assert redis.outcome == "passed"
    assert redis.lost == {"postgres": 0, "redis": 0, "posts": 0}
    assert redis.outages["redis"].longest_s > 0
    await _demand_nothing_left(live, kube)


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_faults_under_load_lose_nothing_and_leave_nothing_behind(
    live: Live, kube: Kube, tmp_path: Path
) -> None:
    options = DrillOptions(
        *(live.environment, QUICK, live.cluster),
        is_loaded=True,
        limits=LENIENT,
        page=tmp_path / "drill.html",
    )
    result = await drill(options, silent)
    assert result.ok, result
    pool, sentinels, api = result.drills
    assert (pool.outcome, sentinels.outcome, api.outcome) == ("passed", "not applicable", "passed")
    assert pool.requests is not None
    assert pool.requests.sent > 0
    assert pool.lost == {"postgres": 0, "redis": 0, "posts": 0}
    assert pool.outages["postgres"].longest_s > 0
    assert "pgBouncer deleted" in (tmp_path / "drill.html").read_text()
    await _demand_nothing_left(live, kube)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_all_faults_lose_nothing(live: Live, kube: Kube) -> None:
    options = DrillOptions(live.environment, cluster=live.cluster, is_loaded=True, limits=LENIENT)
    result = await drill(options, silent)
    assert result.ok, result
    await _demand_nothing_left(live, kube)


async def _demand_nothing_left(live: Live, kube: Kube) -> None:
    """No pod of the writer that stays, no policy, no row, no post."""
    release = Release.of(live.environment, live.kubeconfig)
    pods = await kube.list("v1", "Pod", release.namespace)
    staying = [p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"]]
    assert NAME not in staying
    policies = await kube.list("networking.k8s.io/v1", "NetworkPolicy", release.namespace)
    assert not [body for body in policies if body["metadata"]["name"].startswith(NAME)]
    postgres = await Postgres.of(kube, release)
    (row,) = await postgres.query(f"SELECT to_regclass('{TABLE}') AS found", "vrooli")
    assert row["found"] is None
    query = "SELECT count(*) AS found FROM vrooli.posts WHERE text LIKE 'vrooli-drill-load-%'"
    (row,) = await postgres.query(query, "vrooli")
    assert row["found"] == 0
