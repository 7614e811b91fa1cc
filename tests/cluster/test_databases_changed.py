"""What databases that are there can't become, on a real API server with the operators' kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from support.fakes.check_site import rendered
from vrooli.chart.manifest import Manifest
from vrooli.checks import preflight
from vrooli.checks.preflight import NotDeployableError
from vrooli.kube import ApiError, Kube
from vrooli.operators.pgo.names import API_VERSION, CLUSTER_LABEL, RESTORE_ANNOTATION
from vrooli.release.rollout import queries, readiness

Body = dict[str, Any]
# The chart renders development's release into it.
HOME = "dev"
CLASS: Body = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "fixed"},
    "provisioner": "example.com/none",
    "allowVolumeExpansion": False,
}
VALUES: Body = {"vso": {"enabled": False}, "persistence": {"redis": {"size": "512Mi"}}}
DATABASES = ("PostgresCluster", "RedisFailover")
CLAIM = "vrooli-rf-data-rfr-vrooli-rf-0"
RUNNER = "vrooli-pg-instance1-abcd"
DUPLICATE = f'create Pod {RUNNER}-0 failed error: Pod "{RUNNER}-0" is invalid: duplicate entries'


def databases(**changes: Any) -> list[Manifest]:
    """The release's databases."""
    values = {**VALUES, **changes}
    return [item for item in rendered(**values) if item.kind in DATABASES]


def redis_claim(size: str) -> Body:
    """The volume that the operator made of a Redis."""
    labels = {"component": "redis", "name": "vrooli-rf", "part-of": "redis-failover"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": CLAIM,
            "labels": {f"app.kubernetes.io/{key}": value for key, value in labels.items()},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fixed",
            "resources": {"requests": {"storage": size}},
        },
    }


def instance(version: int) -> Body:
    """A pod of PostgreSQL's."""
    environment = [{"name": "PGDATA", "value": f"/pgdata/pg{version}"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pg-0", "labels": {CLUSTER_LABEL: "vrooli-pg"}},
        "spec": {
            "containers": [{"name": "database", "image": "none.example/pg", "env": environment}]
        },
    }


@pytest.fixture
async def kept(bare_kube: Kube) -> AsyncIterator[Kube]:
    """A namespace with the databases of an earlier deploy, a pod and a volume of theirs."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}
    for body in (namespace, CLASS):
        await bare_kube.apply(body)
    made: list[Mapping[str, Any]] = [database.body for database in databases()]
    made += [redis_claim("512Mi"), instance(15)]
    for item in made:
        await bare_kube.apply(item, namespace=HOME)
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await bare_kube.patch("v1", "Pod", "pg-0/status", HOME, {"status": ready})
    yield bare_kube
    # Nobody is here to see that no pod uses it.
    unprotected = {"metadata": {"finalizers": None}}
    await bare_kube.patch("v1", "PersistentVolumeClaim", CLAIM, HOME, unprotected)
    deleted: list[Mapping[str, Any]] = [*made, CLASS]
    for item in deleted:
        name = item["metadata"]["name"]
        await bare_kube.delete(item["apiVersion"], item["kind"], name, HOME)


async def test_the_same_databases_once_more_are_let_through(kept: Kube) -> None:
    await preflight.demand_data_fit(kept, HOME, databases())


async def test_a_namespace_that_is_not_there_holds_nothing(bare_kube: Kube) -> None:
    await preflight.demand_data_fit(bare_kube, "nowhere-yet", databases())


async def test_another_version_and_a_size_that_can_not_be_are_refused_at_once(kept: Kube) -> None:
    before = await kept.get("v1", "PersistentVolumeClaim", CLAIM, HOME)
    changed = databases(
        pgoPostgresql={"postgresVersion": 16}, persistence={"redis": {"size": "1Gi"}}
    )
    with pytest.raises(NotDeployableError) as refused:
        await preflight.demand_data_fit(kept, HOME, changed)
    for words in (
        "PostgresCluster/vrooli-pg: its data has the format of PostgreSQL 15",
        "postgresVersion is 16",
        f"PersistentVolumeClaim/{CLAIM}",
        "persistence.redis.size is 1Gi",
        "the class fixed does not allow expansion",
    ):
        assert words in refused.value.message
    assert await kept.get("v1", "PersistentVolumeClaim", CLAIM, HOME) == before


async def test_a_class_that_lets_volumes_grow_lets_the_release_through(kept: Kube) -> None:
    await kept.apply({**CLASS, "allowVolumeExpansion": True})
    await preflight.demand_data_fit(kept, HOME, databases(persistence={"redis": {"size": "1Gi"}}))


async def test_nothing_is_changed_until_a_restore_has_ended(kept: Kube) -> None:
    api, kind, name = API_VERSION, "PostgresCluster", "vrooli-pg"
    request = {"metadata": {"annotations": {RESTORE_ANNOTATION: "one"}}}
    settings = {"enabled": True, "repoName": "repo1"}
    asked = {**request, "spec": {"backups": {"pgbackrest": {"restore": settings}}}}
    await kept.patch(api, kind, name, HOME, asked)
    with pytest.raises(NotDeployableError, match="a restore of its data is in progress"):
        await preflight.demand_data_fit(kept, HOME, databases())
    ended = {"pgbackrest": {"restore": {"id": "one", "finished": True}}}
    await kept.patch(api, kind, f"{name}/status", HOME, {"status": ended})
    await preflight.demand_data_fit(kept, HOME, databases())


async def _owned(kube: Kube, owner: str, name: str) -> Body:
    """A StatefulSet that was made from PostgreSQL's resource, and has no pod."""
    kind = (API_VERSION, "PostgresCluster")
    body = await kube.get(*kind, owner, HOME)
    assert body is not None
    reference = {"apiVersion": kind[0], "kind": kind[1], "name": owner}
    labels = {"app": name}
    container = {"name": "database", "image": "none.example/pg"}
    made = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": name,
            "ownerReferences": [{**reference, "uid": body["metadata"]["uid"]}],
        },
        "spec": {
            "serviceName": name,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    await kube.apply(made, namespace=HOME)
    found = await kube.get("apps/v1", "StatefulSet", name, HOME)
    assert found is not None
    return found


async def test_a_look_sees_the_volumes_and_what_the_api_server_refuses(kept: Kube) -> None:
    wanted = databases(persistence={"redis": {"size": "1Gi"}})
    runner = await _owned(kept, "vrooli-pg", RUNNER)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{RUNNER}.1", "namespace": HOME},
        "involvedObject": {
            "kind": "StatefulSet",
            "name": RUNNER,
            "namespace": HOME,
            "uid": runner["metadata"]["uid"],
        },
        "reason": "FailedCreate",
        "message": DUPLICATE,
        "type": "Warning",
    }
    await kept.create(event, HOME)
    try:
        seen = await queries.fetch_release_snapshot(kept, wanted)
        lacks = readiness.unready_reasons(wanted, seen)
    finally:
        await kept.delete("v1", "Event", f"{RUNNER}.1", HOME)
        await kept.delete("apps/v1", "StatefulSet", RUNNER, HOME)
    assert lacks["PostgresCluster/vrooli-pg"] == (
        f"the pods of StatefulSet/{RUNNER} are refused: {DUPLICATE}"
    )
    assert seen.find("PersistentVolumeClaim", CLAIM) is not None


async def test_the_api_server_itself_refuses_to_let_such_a_volume_shrink(kept: Kube) -> None:
    """The rule is the API server's, not ours."""
    with pytest.raises(ApiError, match=r"Forbidden|forbidden|immutable"):
        await kept.apply(redis_claim("256Mi"), namespace=HOME)
