"""Databases of a live release are asked for what their operators can't do; it ends as it began.

Deploys are refused before anything is touched. What is changed behind a deploy's back is told by
status, and ends a wait, although PGO says that it has observed it and all pods are ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.cluster.live import Live
from support.failures import live_faults
from support.release.artifacts import DEV, Source
from vrooli.chart import values
from vrooli.checks.preflight import NotDeployableError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.records import storage
from vrooli.release.rollout import operator_logs, queries, wait
from vrooli.release.rollout.tracker import ReleaseFailedError
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.health.status import status
from vrooli.workflows.options import DeployOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio]

PG = ("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "vrooli-pg", DEV.namespace)
REDIS = ("databases.spotahome.com/v1", "RedisFailover", "vrooli-rf", DEV.namespace)
# How long a deploy may take to refuse, and a wait to end, on a busy machine, seconds.
REFUSED_S, ENDED_S = 180.0, 400.0
# Deploys that no operator can do, by version: the values, and what must be said of them.
IMPOSSIBLE: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "2.0.1": (
        {"pgoPostgresql": {"postgresVersion": 16}},
        ("PostgresCluster/vrooli-pg", "PostgreSQL 15", "postgresVersion is 16", "PGUpgrade"),
    ),
    "2.0.2": (
        {"persistence": {"redis": {"size": "3Gi"}}},
        (
            "vrooli-rf-data-rfr-vrooli-rf-0",
            "persistence.redis.size is 3Gi",
            "does not allow expansion",
        ),
    ),
    "2.0.3": (
        {"persistence": {"postgres": {"size": "64Mi"}}},
        ("-pgdata", "persistence.postgres.size is 64Mi", "cannot shrink"),
    ),
    "2.0.4": (
        {"pgoPostgresql": {"clusterName": "another"}},
        ("PostgresCluster/vrooli-pg", "pgoPostgresql.clusterName is another"),
    ),
}


@pytest.fixture(scope="module")
def artifacts(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of the live release's own values, each with one that can't be."""
    source, out = Source(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("out")
    chosen = values.load(DEV, live.values)
    for version, (wrong, _) in IMPOSSIBLE.items():
        source.build(out, version, values.merge(chosen, wrong), images=True)
    return out


@pytest.mark.parametrize("version", IMPOSSIBLE)
async def test_what_no_operator_can_do_is_refused_before_anything_is_touched(
    live: Live, kube: Kube, artifacts: Path, version: str
) -> None:
    release = Release.of(live.environment, live.kubeconfig)
    before = (
        await storage.fetch_revision(kube, release),
        await kube.get(*PG),
        await kube.get(*REDIS),
    )
    began = time.monotonic()
    with pytest.raises(NotDeployableError) as refused:
        await deploy(DeployOptions(DEV, version, artifacts / version, live.cluster), silent)
    assert time.monotonic() - began < REFUSED_S
    for words in IMPOSSIBLE[version][1]:
        assert words in refused.value.message
    after = await storage.fetch_revision(kube, release), await kube.get(*PG), await kube.get(*REDIS)
    assert after[0] == before[0]
    assert [body and body["spec"] for body in after[1:]] == [
        body and body["spec"] for body in before[1:]
    ]


@asynccontextmanager
async def changed(
    kube: Kube, live: Live, ref: tuple[str, str, str, str], wrong: Any, right: Any
) -> AsyncIterator[None]:
    """A resource that somebody changes by hand, and changes back."""
    await live_faults.until_healthy(kube, live)
    try:
        await kube.patch(*ref, {"spec": wrong})
        yield
    finally:
        await kube.patch(*ref, {"spec": right})
        await live_faults.until_healthy(kube, live)


async def _until_failed(live: Live, kube: Kube) -> str:
    """Why a wait for the release ends, which must not be at its limit."""
    release = Release.of(live.environment, live.kubeconfig)
    manifests = await storage.fetch_manifests(kube, release)
    began = time.monotonic()
    with pytest.raises(ReleaseFailedError) as failed:
        await wait.until_ready(kube, manifests, Progress(), timeout_s=600)
    assert time.monotonic() - began < ENDED_S
    return failed.value.message


async def test_another_major_version_by_hand_is_no_success(live: Live, kube: Kube) -> None:
    async with changed(kube, live, PG, {"postgresVersion": 14}, {"postgresVersion": 15}):
        said = await _until_failed(live, kube)
        assert "its instances run PostgreSQL 15, 14 is requested" in said
        result = await status(DEV, live.cluster, silent)
        assert not result.ok
        assert any("PostgresCluster vrooli-pg" in problem for problem in result.problems)
        release = Release.of(live.environment, live.kubeconfig)
        manifests = await storage.fetch_manifests(kube, release)
        # It has no image of that version: what the API server refuses stands in its log only.
        for _ in range(120):
            seen = await queries.fetch_release_snapshot(kube, manifests)
            errors = (await operator_logs.read(kube, manifests, seen)).errors
            if errors:
                break
            await asyncio.sleep(1)
        assert "its operator can't go on" in errors["PostgresCluster/vrooli-pg"]


async def test_a_volume_of_redis_that_keeps_its_size_is_no_success(live: Live, kube: Kube) -> None:
    body = await kube.get(*REDIS)
    assert body is not None
    own = body["spec"]["redis"]["storage"]["persistentVolumeClaim"]["spec"]["resources"]

    def storage(size: str) -> dict[str, Any]:
        claim = {"spec": {"resources": {"requests": {"storage": size}}}}
        return {"redis": {"storage": {"persistentVolumeClaim": claim}}}

    right = storage(own["requests"]["storage"])
    async with changed(kube, live, REDIS, storage("3Gi"), right):
        for _ in range(120):
            result = await status(DEV, live.cluster, silent)
            problems = [one for one in result.problems if "RedisFailover vrooli-rf" in one]
            if problems:
                break
            await asyncio.sleep(1)
        assert "the volume vrooli-rf-data-rfr-vrooli-rf-0 has" in problems[0]
        assert "3Gi is requested" in problems[0]
        assert "3Gi is requested" in await _until_failed(live, kube)
