"""PostgreSQL of a live release is restored in place: under writes, and when it does not start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from support.cluster.live import Live
from support.failures.faults_under_load import eventually
from support.release.moments import restore_twice, writing
from vrooli.backups import outages
from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.errors import PrerequisiteError
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.restores.end import finish_restore
from vrooli.workflows.restores.postgres import PostgresRestoreOptions, restore_postgres
from vrooli.workflows.scaling.grow import grow
from vrooli.workflows.scaling.growth_plan import Data
from vrooli.workflows.scaling.values_change import ValuesOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

# PostgreSQL does not start without this directory, whose files it creates at each start.
BREAK = 'mv "$PGDATA/pg_notify" "$PGDATA/away"; kill -QUIT "$(head -1 "$PGDATA/postmaster.pid")"'
MEND = 'mkdir -p -m 700 "$PGDATA/pg_notify"'
DOWN_S = 60.0


async def test_a_moment_has_exactly_the_writes_that_were_acknowledged_until_then(
    live: Live,
) -> None:
    async with await Kube.connect(live.kubeconfig) as kube:
        release = Release.of(live.environment, live.kubeconfig)
        async with writing(await Postgres.of(kube, release)) as writer:
            await restore_twice(
                writer, PostgresRestoreOptions(live.environment, cluster=live.cluster)
            )


@pytest.mark.parametrize("is_latest", [True, False])
@pytest.mark.timeout(900)
async def test_a_postgresql_that_does_not_start_is_restored(live: Live, is_latest: bool) -> None:
    options = PostgresRestoreOptions(live.environment, cluster=live.cluster)
    async with await Kube.connect(live.kubeconfig) as kube:
        postgres = await Postgres.of(kube, Release.of(live.environment, live.kubeconfig))
        async with writing(postgres) as writer:
            await writer.wait_for(20)
            last, at = await writer.moment()
            await writer.wait_for(20)
            async with _broken(postgres):
                acknowledged = set(writer.acknowledged)
                where = ValuesOptions(live.environment, live.cluster)
                with pytest.raises(PrerequisiteError, match="volumes cannot be expanded"):
                    await grow(where, Data.POSTGRES, "900Gi", silent)
                to = "latest" if is_latest else at
                result = await restore_postgres(replace(options, to=to), silent)
                assert result.differences[: len(outages.CONSEQUENCES)] == outages.CONSEQUENCES
            await writer.wait_for(5)
            kept = {number for number in acknowledged if is_latest or number <= last}
            assert await writer.present() & acknowledged == kept
            await finish_restore(options, silent)


@asynccontextmanager
async def _broken(postgres: Postgres) -> AsyncIterator[None]:
    """PostgreSQL has crashed and cannot start during the block, except with other data."""
    pod = (await postgres.primary()).pod

    async def run(script: str) -> None:
        argv = ["bash", "-c", script]
        await postgres.kube.exec(postgres.namespace, pod, argv, CONTAINER)

    async def is_down() -> bool:
        return await outages.find(postgres) is not None

    await run(BREAK)
    try:
        await eventually(is_down, DOWN_S, "PostgreSQL does not answer")
        yield
    finally:
        await run(MEND)
