"""The release's namespace is created and labelled only where it must be."""

from __future__ import annotations

import pytest

from support.fakes.check_site import rendered
from support.fakes.cluster import FakeCluster, namespace
from vrooli.events import Progress, silent
from vrooli.kube import ApiError
from vrooli.operators import security
from vrooli.release import apply

PROGRESS = Progress("apply", silent)


def _cluster(labels: dict[str, str] | None) -> FakeCluster:
    """A cluster whose release's namespace has these labels, or does not exist."""
    cluster = FakeCluster(*(() if labels is None else [namespace(labels=labels)]))
    cluster.failures.forbid("get", "Namespace", name="postgres-operator")
    return cluster


@pytest.mark.parametrize("more", [{}, {"team": "x"}])
async def test_a_namespace_with_the_labels_is_not_written(more: dict[str, str]) -> None:
    cluster = _cluster({**security.security_labels("restricted"), **more})
    assert await apply._ensure_namespace(cluster, "dev", "restricted", PROGRESS) is False
    assert cluster.changes == []


@pytest.mark.parametrize("labels", [None, {}, security.security_labels("baseline")])
async def test_a_namespace_that_is_missing_or_labelled_otherwise_is_written(
    labels: dict[str, str] | None,
) -> None:
    cluster = _cluster(labels)
    assert await apply._ensure_namespace(cluster, "dev", "restricted", PROGRESS)
    assert cluster.changes == [("apply", "Namespace", "dev")]
    metadata = cluster.body("Namespace", "dev")["metadata"]
    assert metadata["labels"] == security.security_labels("restricted")


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        (None, "baseline"),
        ({}, "baseline"),
        (security.security_labels("privileged"), "baseline"),
        (security.security_labels("restricted"), "restricted"),
    ],
)
async def test_the_standard_stays_without_permission_to_read_the_operator(
    labels: dict[str, str] | None, level: str
) -> None:
    assert await apply._security(_cluster(labels), rendered()) == level


@pytest.mark.parametrize("verbs", [("patch",), ("get", "patch")])
async def test_a_namespace_that_may_not_be_labelled_is_deployed_to(verbs: tuple[str, ...]) -> None:
    cluster = _cluster({})
    cluster.failures.forbid("apply", "Namespace")
    if "get" in verbs:
        cluster.failures.forbid("get", "Namespace", name="dev")
    assert await apply._ensure_namespace(cluster, "dev", "restricted", PROGRESS) is None


async def test_a_missing_namespace_that_may_not_be_created_is_an_error() -> None:
    cluster = _cluster(None)
    cluster.failures.forbid("apply", "Namespace")
    with pytest.raises(ApiError, match="refused to apply Namespace dev"):
        await apply._ensure_namespace(cluster, "dev", "restricted", PROGRESS)


@pytest.mark.parametrize("level", ["baseline", "restricted"])
async def test_the_standard_of_a_namespace_stays_if_somebody_else_installed_the_operator(
    level: str,
) -> None:
    labels = security.security_labels(level)
    cluster = FakeCluster(namespace(labels=labels), namespace("postgres-operator"))
    assert await apply._security(cluster, rendered()) == level


async def test_other_errors_of_reading_the_operator_are_reported() -> None:
    cluster = FakeCluster()
    cluster.failures.add("get", "Namespace", 500, "broken")
    with pytest.raises(ApiError, match="broken"):
        await apply._security(cluster, rendered())
