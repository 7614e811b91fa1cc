"""Real clusters, with state, names and ports of the tests' own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import clusters
from support.cluster.clusters import QUIET, Maker
from vrooli import images, programs
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.components.catalog import PROGRAMS


@pytest.fixture(scope="package")
def maker() -> Iterator[Maker]:
    """Makes clusters; those that tests leave are deleted after the last test of this folder."""
    if os.geteuid() != 0:
        pytest.skip("the embedded cluster needs root")
    state_dir = Path(os.environ[clusters.STATE_DIR])
    yield asyncio.run(_maker(state_dir))
    asyncio.run(clusters.delete_all(state_dir))


async def _maker(state_dir: Path) -> Maker:
    wanted = {*PROGRAMS, *images.programs_of(images.ADDONS)}
    found = await programs.ensure(wanted, QUIET)
    built = await images.ensure(images.ADDONS, found, QUIET)
    archive = await images.archive([built[name] for name in images.ADDONS], QUIET)
    return Maker(state_dir, found, archive)


@pytest.fixture(scope="package")
async def shared(maker: Maker) -> EmbeddedCluster:
    """A running cluster that many tests look at, and some disturb."""
    cluster = maker.cluster("shared")
    await cluster.ensure_running(QUIET)
    return cluster
