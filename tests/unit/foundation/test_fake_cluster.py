"""The fake cluster of the tests responds as an API server does, or fails the test."""

from __future__ import annotations

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_failures import BROKEN
from vrooli.kube import ApiError, NoAnswerError
from vrooli.kube.pods import LogRange

SECRET = {"kind": "Secret", "metadata": {"name": "a", "labels": {"owner": "helm", "name": "r"}}}


async def test_objects_are_read_by_name_and_by_selector() -> None:
    cluster = FakeCluster(SECRET)
    assert await cluster.get("v1", "Secret", "other", "dev") is None
    result = await cluster.get("v1", "Secret", "a", "dev")
    assert result == cluster.body("Secret", "a")
    assert await cluster.list("v1", "Secret", "dev", "owner=helm,name=r") == [result]
    assert await cluster.list("v1", "Secret", None, "name in (r, s)") == [result]
    assert await cluster.list("v1", "Secret", "dev", "name=s") == []
    assert await cluster.list("v1", "Secret", "prod") == []


async def test_a_list_of_names_has_no_contents() -> None:
    cluster = FakeCluster({**SECRET, "data": {"key": "dmFsdWU="}})
    (item,) = await cluster.list("v1", "Secret", "dev", names_only=True)
    assert set(item) == {"apiVersion", "kind", "metadata"}


async def test_an_apply_reports_whether_it_changed_the_object() -> None:
    cluster = FakeCluster(namespace())
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    assert await cluster.apply(body, namespace="dev")
    assert not await cluster.apply(body, namespace="dev")
    assert cluster.changes == [("apply", "ConfigMap", "a")] * 2


async def test_an_outdated_object_is_not_replaced() -> None:
    cluster = FakeCluster(namespace(), SECRET)
    outdated = dict(cluster.body("Secret", "a"))
    cluster.add(SECRET)
    with pytest.raises(ApiError, match="has been modified"):
        await cluster.replace(outdated)


async def test_no_object_is_created_twice_or_without_its_namespace() -> None:
    body = {"apiVersion": "v1", **SECRET}
    with pytest.raises(ApiError, match="already exists"):
        await FakeCluster(namespace(), SECRET).create(body, "dev")
    with pytest.raises(ApiError, match='namespaces "dev" not found'):
        await FakeCluster().create(body, "dev")


async def test_deleting_a_namespace_deletes_its_objects() -> None:
    cluster = FakeCluster(namespace(), SECRET)
    assert await cluster.delete("v1", "Namespace", "dev")
    assert cluster.server.objects == {}
    assert not await cluster.delete("v1", "Namespace", "dev")


async def test_failures_end_after_their_number_of_times() -> None:
    cluster = FakeCluster(SECRET)
    cluster.failures.add("get", "Secret", BROKEN, times=1)
    with pytest.raises(NoAnswerError):
        await cluster.get("v1", "Secret", "a", "dev")
    assert await cluster.get("v1", "Secret", "a", "dev") is not None


async def test_a_denied_permission_is_denied_in_reviews_and_requests() -> None:
    cluster = FakeCluster()
    cluster.failures.forbid("list", "Pod", namespace=None)
    assert await cluster.may("list", "v1", "Pod", "dev")
    assert await cluster.list("v1", "Pod", "dev") == []
    with pytest.raises(ApiError, match="forbidden") as refused:
        await cluster.list("v1", "Pod")
    assert refused.value.is_forbidden


@pytest.mark.parametrize(
    ("api_version", "kind", "namespace"),
    [("example.com/v1", "Unknown", "dev"), ("v1", "Pod", None)],
    ids=["unknown kind", "no namespace"],
)
async def test_an_unknown_request_fails_the_test(
    api_version: str, kind: str, namespace: str | None
) -> None:
    with pytest.raises(pytest.fail.Exception):
        await FakeCluster().get(api_version, kind, "a", namespace)


async def test_a_log_that_no_test_wrote_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception):
        [line async for line in FakeCluster().logs("dev", "a", "server", part=LogRange(tail=1))]
