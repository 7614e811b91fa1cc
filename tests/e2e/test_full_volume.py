"""The volume of a PostgreSQL is full, and its storage class can expand it: `vrooli grow` is enough.

It is a second release beside the live one, of PostgreSQL alone, on a file system of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster.bounded_volumes import CLASS, bounded_volume
from support.cluster.live import Live
from support.failures.faults_under_load import eventually
from support.release.moments import writing
from vrooli.backups import outages
from vrooli.chart import engine, values
from vrooli.databases.postgres.session import Postgres
from vrooli.diagnosis.rules.postgres import disk_full
from vrooli.errors import VrooliError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release, apply
from vrooli.release import uninstall as release_uninstall
from vrooli.release.rollout import wait
from vrooli.workflows.health.diagnose import DiagnoseOptions, diagnose
from vrooli.workflows.health.status import status
from vrooli.workflows.scaling.grow import grow
from vrooli.workflows.scaling.growth_plan import Data
from vrooli.workflows.scaling.values_change import ValuesOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

NAME = "full-volume"
SIZE, LARGER = "512Mi", "1Gi"
READY_S, DOWN_S, GROWN_S = 400.0, 120.0, 400.0
PROGRESS = Progress()
POSTGRES_ONLY = {
    "services": {
        name: {"enabled": False} for name in ("ui", "server", "jobs", "nsfwDetector", "adminer")
    },
    "rotation": {"enabled": False},
    "ingress": {"enabled": False},
    "vso": {"enabled": False},
    "spotahomeRedis": {"enabled": False},
    "externalRedis": {"host": "redis.example.com"},
    # What is in the volume counts for the memory of who writes it.
    "pgoPostgresql": {"resources": {"limits": {"memory": "3Gi"}}},
    "persistence": {"postgres": {"size": SIZE, "storageClass": CLASS}},
}
# Segments of WAL, which PostgreSQL removes only at a checkpoint, later than they fill the volume.
FILL = """
DO $$ BEGIN FOR number IN 1..40 LOOP
  PERFORM pg_logical_emit_message(false, 'fill', 'x');
  PERFORM pg_switch_wal();
END LOOP; END $$;
"""


@pytest.fixture
async def release(live: Live, kube: Kube, tmp_path: Path) -> AsyncIterator[Release]:
    """The release, whose data volume has a limit."""
    chosen = values.merge(values.load(live.environment, live.values), POSTGRES_ONLY)
    made = Release(NAME, NAME, live.kubeconfig)
    async with bounded_volume(live, NAME, tmp_path, SIZE):
        try:
            await apply.ensure(kube, made, chosen, PROGRESS)
            manifests = engine.render(chosen, release=NAME, namespace=NAME)
            await wait.until_ready(kube, manifests, PROGRESS, READY_S)
            yield made
        finally:
            await release_uninstall.remove_data(kube, made, PROGRESS)


async def _fill(postgres: Postgres) -> None:
    """Write until PostgreSQL does not answer."""
    while await outages.find(postgres) is None:
        with contextlib.suppress(VrooliError):  # it stops in the middle
            await postgres.execute(FILL, "postgres")


@pytest.mark.timeout(1500)
async def test_a_full_volume_is_expanded_and_nothing_acknowledged_is_lost(
    live: Live, kube: Kube, release: Release
) -> None:
    environment = replace(live.environment, release=NAME, namespace=NAME)
    postgres = await Postgres.of(kube, release)
    async with writing(postgres) as writer:
        await writer.wait_for(20)
        async with asyncio.timeout(DOWN_S):
            await _fill(postgres)
        acknowledged = set(writer.acknowledged)
        result = await status(environment, live.cluster, silent)
        assert not result.ok
        diagnosed = await diagnose(DiagnoseOptions(environment, cluster=live.cluster), silent)
        assert diagnosed.causes[0].finding.rule_id == disk_full.RULE.rule_id
        options = ValuesOptions(environment, live.cluster, GROWN_S)
        grown = await grow(options, Data.POSTGRES, LARGER, silent)
        assert (grown.before, grown.after, grown.replaced) == (SIZE, LARGER, False)

        async def is_healthy() -> bool:
            return (await status(environment, live.cluster, silent)).ok

        await eventually(is_healthy, READY_S, "the release is healthy")
        await writer.wait_for(20)
        assert acknowledged <= await writer.present()
