"""PostgreSQL of a live release is restored in place under writes, brought back, restored again."""

from __future__ import annotations

import pytest

from support.cluster.live import Live
from support.release.moments import Writer, writing
from vrooli.databases.postgres.session import Postgres
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.restore_end import finish_restore, undo_restore
from vrooli.workflows.restore_postgres import PostgresRestoreOptions, restore_postgres

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

# Clients wait for a switch at most so long, seconds.
PAUSE_S = 10.0


async def test_a_moment_has_exactly_the_writes_that_were_acknowledged_until_then(
    live: Live,
) -> None:
    async with await Kube.connect(live.kubeconfig) as kube:
        release = Release.of(live.environment, live.kubeconfig)
        async with writing(await Postgres.of(kube, release)) as writer:
            await restore_twice(
                writer, PostgresRestoreOptions(live.environment, cluster=live.cluster)
            )


async def restore_twice(writer: Writer, release: PostgresRestoreOptions) -> None:
    """Restore a moment, undo it, restore it again and finish."""
    await writer.wait_for(20)
    last, at = await writer.moment()
    await writer.wait_for(20)
    options = PostgresRestoreOptions(release.environment, to=at, cluster=release.cluster)
    restored = await restore_postgres(options, silent)
    assert restored.pause_s < PAUSE_S
    await writer.wait_for(5)
    before, present = set(writer.acknowledged), await writer.present()
    lost = before - present
    assert lost == {number for number in before if last < number <= max(lost)}
    assert present >= set(range(1, last + 1))

    undone = await undo_restore(release, silent)
    assert undone.pause_s < PAUSE_S
    present = await writer.present()
    assert present >= {number for number in before if number <= max(lost)}

    again = await restore_postgres(options, silent)
    assert again.pause_s < PAUSE_S
    present = await writer.present()
    assert {number for number in present if number <= max(lost)} == set(range(1, last + 1))
    await finish_restore(release, silent)
