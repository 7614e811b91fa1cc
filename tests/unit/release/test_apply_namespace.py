"""The release's namespace is created and labelled only where it must be."""

from __future__ import annotations

import pytest

from support.fakes.check_site import rendered
from support.fakes.cluster import FakeCluster, namespace
from vrooli.kube import ApiError
from vrooli.operators import security
from vrooli.release import apply


def _cluster(labels: dict[str, str] | None) -> FakeCluster:
    """A cluster whose release's namespace has these labels, or does not exist."""
    cluster = FakeCluster(*(() if labels is None else [namespace(labels=labels)]))
    cluster.failures.forbid("get", "Namespace", name="postgres-operator")
    return cluster


@pytest.mark.parametrize("more", [{}, {"team": "x"}])
async def test_a_namespace_with_the_labels_is_not_written(more: dict[str, str]) -> None:
    cluster = _cluster({**security.security_labels("restricted"), **more})
    assert not await apply._ensure_namespace(cluster, "dev", "restricted")
    assert cluster.changes == []


@pytest.mark.parametrize("labels", [None, {}, security.security_labels("baseline")])
async def test_a_namespace_that_is_missing_or_labelled_otherwise_is_written(
    labels: dict[str, str] | None,
) -> None:
    cluster = _cluster(labels)
    assert await apply._ensure_namespace(cluster, "dev", "restricted")
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


async def test_other_errors_of_reading_the_operator_are_reported() -> None:
    cluster = FakeCluster()
    cluster.failures.add("get", "Namespace", 500, "broken")
    with pytest.raises(ApiError, match="broken"):
        await apply._security(cluster, rendered())
