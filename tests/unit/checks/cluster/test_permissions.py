"""What a deploy needs to be allowed, and what is asked for only where it will be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_api import Review
from vrooli.checks.cluster import permissions
from vrooli.operators import security

# Values without a PostgresCluster.
EXTERNAL_DATABASE = {
    "pgoPostgresql": {"enabled": False},
    "externalPostgresql": {"host": "db.example.com"},
}


def _cluster(
    labels: Mapping[str, str] | None = None,
    denied: Collection[tuple[str, str]] = (),
    unreadable: Collection[str] = ("postgres-operator",),
) -> FakeCluster:
    """A cluster whose namespace has these labels or is missing, without some permissions."""
    cluster = FakeCluster(*(() if labels is None else [namespace(labels=dict(labels))]))
    for verb, kind in denied:
        cluster.failures.forbid(verb, kind)
    for name in unreadable:
        cluster.failures.forbid("get", "Namespace", name=name)
    return cluster


async def _refused(cluster: FakeCluster, **changes: Any) -> dict[str, str]:
    result = await permissions.run(site(rendered(**changes), cluster))
    return {finding.resource: finding.message for finding in result.findings}


@pytest.mark.parametrize("kind", ["Secret", "Lease"])
async def test_objects_that_are_replaced_require_update(kind: str) -> None:
    cluster = _cluster(security.security_labels("baseline"), {("update", kind)})
    refused = await _refused(cluster)
    assert refused == {kind: "this kubeconfig may not update it in namespace dev."}


async def test_only_objects_that_are_replaced_require_update() -> None:
    cluster = _cluster(security.security_labels("baseline"))
    assert await _refused(cluster) == {}
    assert {kind for verb, kind, *_ in cluster.server.reviews if verb == "update"} == {
        "Secret",
        "Lease",
    }


@pytest.mark.parametrize("level", ["baseline", "restricted"])
async def test_a_labelled_namespace_requires_no_permission_without_access_to_the_operator(
    level: str,
) -> None:
    refused = {("patch", "Namespace"), ("create", "Namespace")}
    cluster = _cluster(security.security_labels(level), refused)
    assert await _refused(cluster) == {}
    assert "Namespace" not in {review.kind for review in cluster.server.reviews}


async def test_a_namespace_without_its_labels_is_a_warning_with_the_command_that_sets_them() -> (
    None
):
    cluster = _cluster({}, {("patch", "Namespace")})
    result = await permissions.run(site(rendered(), cluster))
    assert result.findings == ()
    (warning,) = result.warnings
    assert warning.startswith("Namespace/dev may not be labelled with this kubeconfig")
    assert (
        "`kubectl label --overwrite namespace dev pod-security.kubernetes.io/enforce=baseline "
        "pod-security.kubernetes.io/warn=restricted`"
    ) in warning
    assert Review("patch", "Namespace", "dev", name="dev") in cluster.server.reviews


async def test_a_missing_namespace_requires_create_and_patch() -> None:
    cluster = _cluster(None, {("create", "Namespace"), ("patch", "Namespace")})
    refused = await _refused(cluster, **EXTERNAL_DATABASE)
    assert "does not exist" in refused["Namespace/dev"]
    assert "may not create, patch it" in refused["Namespace/dev"]
    assert await _refused(_cluster(None), **EXTERNAL_DATABASE) == {}


async def test_an_unreadable_namespace_is_no_problem_and_the_kinds_are_checked() -> None:
    denied = {("patch", "Service"), ("patch", "Namespace")}
    cluster = _cluster({}, denied, {"dev", "postgres-operator"})
    assert set(await _refused(cluster)) == {"Service"}
    result = await permissions.run(site(rendered(), cluster))
    assert "may not be read or labelled" in result.warnings[0]
