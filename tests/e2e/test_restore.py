"""PostgreSQL of a live release is restored in place under writes, brought back, restored again."""

from __future__ import annotations

import pytest

from support.cluster.live import Live
from support.release.moments import restore_twice, writing
from vrooli.databases.postgres.session import Postgres
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.restore_postgres import PostgresRestoreOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]


async def test_a_moment_has_exactly_the_writes_that_were_acknowledged_until_then(
    live: Live,
) -> None:
    async with await Kube.connect(live.kubeconfig) as kube:
        release = Release.of(live.environment, live.kubeconfig)
        async with writing(await Postgres.of(kube, release)) as writer:
            await restore_twice(
                writer, PostgresRestoreOptions(live.environment, cluster=live.cluster)
            )
