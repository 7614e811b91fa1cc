"""The drill of a restore: the copy that a killed one has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import owned
from vrooli.backups import clones, isolation
from vrooli.backups.clones import Place
from vrooli.databases.postgres.session import Postgres
from vrooli.drills.site import Site
from vrooli.events import Progress
from vrooli.release.model import Release
from vrooli.workflows.drills import restore

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
PLACE = Place("vrooli-dev-copy", "vrooli-dev-drill")
AROUND = namespace(PLACE.namespace, labels={**clones.LABELS, clones.COPY: PLACE.name})
FOREIGN = {"kind": "PostgresCluster", "metadata": {"name": "x", "namespace": PLACE.namespace}}

pytestmark = pytest.mark.anyio


async def _site(*objects: dict[str, Any]) -> tuple[FakeCluster, Site]:
    cluster = FakeCluster(owned("PostgresCluster", "vrooli-pg", RELEASE.name), *objects)
    postgres = await Postgres.of(cluster, RELEASE)
    cluster.add(*isolation.repository_access(postgres.body, PLACE))
    return cluster, Site(cluster, RELEASE, (), None, postgres, None)


async def test_a_copy_is_removed_with_its_namespace_and_policies() -> None:
    cluster, site = await _site(AROUND)
    assert await restore.remove_left(site, Progress()) == (f"copy {PLACE}",)
    assert cluster.find("Namespace", PLACE.namespace) is None
    assert cluster.find("NetworkPolicy", "vrooli-pg-restore-vrooli-dev-copy") is None
    assert await restore.remove_left(site, Progress()) == ()


@pytest.mark.parametrize("objects", [(namespace(PLACE.namespace),), (AROUND, FOREIGN)])
async def test_a_namespace_of_others_is_not_touched(objects: tuple[dict[str, Any], ...]) -> None:
    cluster, site = await _site(*objects)
    assert await restore.remove_left(site, Progress()) == ()
    assert cluster.changes == []


async def test_who_may_not_read_the_namespace_has_left_no_copy_in_it() -> None:
    cluster, site = await _site(AROUND)
    cluster.failures.forbid("get", "Namespace", namespace=None)
    assert await restore.remove_left(site, Progress()) == ()
    assert cluster.changes == []
