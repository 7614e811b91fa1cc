"""The pods of components: of the release's own databases, whatever their names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import owned, pod
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.kube import ApiError
from vrooli.kube.common_labels import COMPONENT, INSTANCE, NAME
from vrooli.kube.objects import labels, name
from vrooli.operators.pgo import names as pgo
from vrooli.workflows import selectors
from vrooli.workflows.components import COMPONENTS

pytestmark = pytest.mark.anyio
DEV = ENVIRONMENTS["dev"]


def instance(cluster: str) -> dict[str, Any]:
    own = {pgo.CLUSTER_LABEL: cluster, pgo.INSTANCE_LABEL: f"{cluster}-instance1"}
    return pod(f"{cluster}-0", own)


def redis(component: str, release: str) -> dict[str, Any]:
    return pod(f"{component}-{release}", {NAME: "cache", INSTANCE: release, COMPONENT: component})


async def pods(cluster: FakeCluster, component: str) -> list[str]:
    selected = await selectors.fetch(cluster, DEV, [component])
    return [name(body) for body in await cluster.list("v1", "Pod", "dev", selected[component])]


@pytest.fixture
def cluster() -> FakeCluster:
    """Two releases in one namespace, neither with the names of the chart."""
    pool = pod("pool", {pgo.CLUSTER_LABEL: "posts", pgo.ROLE_LABEL: "pgbouncer"})
    return FakeCluster(
        owned("PostgresCluster", "posts", DEV.release),
        owned("PostgresCluster", "others", "other"),
        *(instance("posts"), instance("others"), pool),
        *(redis(part, release) for part in ("redis", "sentinel") for release in (DEV.release, "b")),
    )


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("postgres", "posts-0"),
        ("pgbouncer", "pool"),
        ("redis", f"redis-{DEV.release}"),
        ("sentinel", f"sentinel-{DEV.release}"),
    ],
)
async def test_the_pods_are_those_of_the_releases_databases(
    cluster: FakeCluster, component: str, expected: str
) -> None:
    assert await pods(cluster, component) == [expected]


async def test_a_release_without_a_database_has_no_pods_of_others(cluster: FakeCluster) -> None:
    cluster.remove("PostgresCluster", "posts")
    assert await pods(cluster, "postgres") == []


async def test_without_the_permission_to_list_databases_the_charts_default_applies(
    cluster: FakeCluster,
) -> None:
    cluster.failures.forbid("list", "PostgresCluster")
    cluster.add(instance("vrooli-pg"))
    assert await pods(cluster, "postgres") == ["vrooli-pg-0"]
    assert await selectors.fetch(cluster, DEV, COMPONENTS)


async def test_an_error_of_the_server_is_no_missing_permission(cluster: FakeCluster) -> None:
    cluster.failures.add("list", "PostgresCluster", 500, "etcd has no leader")
    with pytest.raises(ApiError):
        await pods(cluster, "postgres")


async def test_components_without_a_database_need_no_request(cluster: FakeCluster) -> None:
    await selectors.fetch(cluster, DEV, ["server", "redis"])
    assert cluster.requests == []


def test_the_redis_operator_copies_the_label_of_the_release_to_its_pods() -> None:
    rendered = engine.render(values.load(DEV), release=DEV.release, namespace=DEV.namespace)
    (failover,) = (item.body for item in rendered if item.kind == "RedisFailover")
    assert labels(failover)[INSTANCE] == DEV.release
    assert any(re.search(kept, INSTANCE) for kept in failover["spec"]["labelWhitelist"])
