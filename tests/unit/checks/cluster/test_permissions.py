"""What a deploy needs to be allowed, and what is asked for only where it will be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from support.fakes.check_site import names, rendered, site
from vrooli.checks.cluster import permissions
from vrooli.kube import ApiError
from vrooli.operators import security

# Values without a PostgresCluster.
ELSEWHERE = {
    "pgoPostgresql": {"enabled": False},
    "externalPostgresql": {"host": "db.example.com"},
}


class Cluster:
    """An API server that knows one namespace, and refuses some verbs on some kinds."""

    def __init__(
        self,
        labels: Mapping[str, str] | None = None,
        refused: Collection[tuple[str, str]] = (),
        unreadable: Collection[str] = ("postgres-operator",),
    ) -> None:
        self.labels, self.refused, self.unreadable = labels, refused, unreadable
        self.asked: list[tuple[str, str, bool]] = []

    async def own_rules(self, namespace: str) -> list[dict[str, Any]]:
        return []

    async def plural(self, api_version: str, kind: str) -> str:
        return f"{kind.lower()}s"

    async def may(
        self, verb: str, api_version: str, kind: str, namespace: str, *, itself: bool = False
    ) -> bool:
        self.asked.append((verb, kind, itself))
        return (verb, kind) not in self.refused

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        if name in self.unreadable:
            raise ApiError(f"read {kind} {name}", 403, "forbidden")
        if self.labels is None:
            return None
        return {"metadata": {"name": name, "labels": dict(self.labels)}}


async def _refused(cluster: Cluster, **changes: Any) -> dict[str, str]:
    seen = await permissions.run(site(rendered(**changes), cluster))
    return {finding.resource: finding.message for finding in seen.findings}


@pytest.mark.parametrize("kind", ["Secret", "Lease"])
async def test_what_is_put_in_the_place_of_what_was_read_needs_update(kind: str) -> None:
    cluster = Cluster(security.security_labels("baseline"), {("update", kind)})
    found = await _refused(cluster)
    assert found == {kind: "this kubeconfig may not update it in namespace dev."}


async def test_what_is_never_put_needs_no_update() -> None:
    cluster = Cluster(security.security_labels("baseline"))
    assert await _refused(cluster) == {}
    assert {kind for verb, kind, _ in cluster.asked if verb == "update"} == {"Secret", "Lease"}


@pytest.mark.parametrize("level", ["baseline", "restricted"])
async def test_a_namespace_that_fits_needs_no_right_where_the_operator_can_not_be_read(
    level: str,
) -> None:
    refused = {("patch", "Namespace"), ("create", "Namespace")}
    cluster = Cluster(security.security_labels(level), refused)
    assert await _refused(cluster) == {}
    assert "Namespace" not in {kind for _, kind, _ in cluster.asked}


async def test_a_namespace_without_its_labels_is_told_with_the_command_that_sets_them() -> None:
    cluster = Cluster({}, {("patch", "Namespace")})
    seen = await permissions.run(site(rendered(), cluster))
    assert names(seen) == ["Namespace/dev"]
    (finding,) = seen.findings
    assert "does not have the labels" in finding.message
    assert "may not patch it" in finding.message
    assert finding.command == (
        "kubectl label --overwrite namespace dev pod-security.kubernetes.io/enforce=baseline "
        "pod-security.kubernetes.io/warn=restricted"
    )
    assert ("patch", "Namespace", True) in cluster.asked


async def test_a_namespace_that_is_missing_must_be_made_and_labelled() -> None:
    cluster = Cluster(None, {("create", "Namespace"), ("patch", "Namespace")})
    found = await _refused(cluster, **ELSEWHERE)
    assert "does not exist" in found["Namespace/dev"]
    assert "may not create, patch it" in found["Namespace/dev"]
    assert await _refused(Cluster(None), **ELSEWHERE) == {}


async def test_a_namespace_that_may_not_be_read_is_told_and_the_kinds_are_asked_for() -> None:
    cluster = Cluster(None, {("patch", "Service")}, {"dev", "postgres-operator"})
    assert set(await _refused(cluster)) == {"Namespace", "Service"}
