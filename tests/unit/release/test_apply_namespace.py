"""The release's namespace is made and labelled where it must be, and else left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from support.fakes.check_site import rendered
from vrooli.kube import ApiError, Kube
from vrooli.operators import security
from vrooli.release import apply


class Cluster:
    """An API server with one namespace, where the operator's may not be read."""

    def __init__(self, labels: Mapping[str, str] | None) -> None:
        self.labels = labels
        self.applied: list[Mapping[str, Any]] = []

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        if name == "postgres-operator":
            raise ApiError(f"read {kind} {name}", 403, "forbidden")
        return None if self.labels is None else {"metadata": {"labels": dict(self.labels)}}

    async def apply(self, manifest: Mapping[str, Any]) -> bool:
        self.applied.append(manifest["metadata"]["labels"])
        return True


@pytest.mark.parametrize("more", [{}, {"team": "x"}])
async def test_a_namespace_with_the_labels_is_not_written(more: dict[str, str]) -> None:
    cluster = Cluster({**security.security_labels("restricted"), **more})
    assert not await apply._ensure_namespace(cast(Kube, cluster), "dev", "restricted")
    assert cluster.applied == []


@pytest.mark.parametrize("labels", [None, {}, security.security_labels("baseline")])
async def test_one_that_is_missing_or_has_other_users_is(labels: dict[str, str] | None) -> None:
    cluster = Cluster(labels)
    assert await apply._ensure_namespace(cast(Kube, cluster), "dev", "restricted")
    assert cluster.applied == [security.security_labels("restricted")]


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        (None, "baseline"),
        ({}, "baseline"),
        (security.security_labels("privileged"), "baseline"),
        (security.security_labels("restricted"), "restricted"),
    ],
)
async def test_who_may_not_look_at_the_operator_leaves_the_standard_that_is_there(
    labels: dict[str, str] | None, level: str
) -> None:
    assert await apply._security(cast(Kube, Cluster(labels)), rendered()) == level


async def test_other_errors_of_the_look_at_the_operator_are_reported() -> None:
    class Broken(Cluster):
        async def get(self, *words: Any) -> dict[str, Any] | None:
            raise ApiError("read Namespace", 500, "broken")

    with pytest.raises(ApiError, match="broken"):
        await apply._security(cast(Kube, Broken(None)), rendered())
