"""PGO has the images that a release needs."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from support.fakes.cluster import FakeCluster
from vrooli.checks.operators import postgres_images as module
from vrooli.operators import PGO

ALL = ("POSTGRES_16", "POSTGRES_17", "PGBACKREST", "PGBOUNCER", "PGEXPORTER")
Body = dict[str, Any]


def operator(*names: str, image: str = "r/postgres-operator:ubi9-5.8.2-0") -> Body:
    """PGO's Deployment with these images."""
    env = [{"name": f"RELATED_IMAGE_{name}", "value": f"r/{name}"} for name in names]
    labels = {PGO.selector: "pgo"}
    return {
        "kind": "Deployment",
        "metadata": {"name": "pgo", "namespace": PGO.namespace, "labels": labels},
        "spec": {"template": {"spec": {"containers": [{"image": image, "env": env}]}}},
    }


def definition(maximum: int, **labels: str) -> Body:
    """The definition of PostgresCluster."""
    limit: Body = {"postgresVersion": {"maximum": maximum}}
    schema: Body = {"properties": {"spec": {"properties": limit}}}
    return {
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "postgresclusters.postgres-operator.crunchydata.com",
            "labels": labels,
        },
        "spec": {"versions": [{"name": "v1beta1", "schema": {"openAPIV3Schema": schema}}]},
    }


def judge(version: int, deployment: Body | None, crd: Body | None = None, **values: Any) -> Any:
    clusters = [
        item
        for item in rendered("prod", pgoPostgresql={"postgresVersion": version, **values})
        if item.kind == "PostgresCluster"
    ]
    return module.judge(clusters, deployment, crd)


def test_the_default_runs_on_the_specified_version() -> None:
    result = judge(17, operator(*ALL), definition(17))
    assert (result.findings, result.warnings) == ((), ())
    assert result.summary == "images of PostgreSQL 16 or 17"


def test_a_version_without_an_image_is_refused_with_the_versions_that_have_one() -> None:
    (finding,) = judge(15, operator(*ALL), definition(17)).findings
    assert finding.resource == "PostgresCluster/vrooli-pg"
    assert "no image of PostgreSQL 15" in finding.message
    assert "MissingRequiredImage" in finding.message
    assert "postgresVersion to 16 or 17" in finding.remediation
    assert "pgoPostgresql.image" in finding.remediation


def test_an_image_in_the_values_needs_none_of_the_operator() -> None:
    assert judge(15, operator(*ALL), definition(17), image="r/postgres:15").findings == ()


@pytest.mark.parametrize("name", ["PGBACKREST", "PGBOUNCER", "PGEXPORTER"])
def test_every_other_part_needs_an_image_too(name: str) -> None:
    rest = [item for item in ALL if item != name]
    (finding,) = judge(17, operator(*rest)).findings
    assert name in finding.message
    assert finding.remediation.startswith("Set pgoPostgresql.")


def test_a_version_above_the_definition_is_refused_once() -> None:
    others = ("PGBACKREST", "PGBOUNCER", "PGEXPORTER")
    (finding,) = judge(17, operator("POSTGRES_15", *others), definition(15)).findings
    assert "accepts 15 at most" in finding.message
    assert "postgresVersion to 15" in finding.remediation


def test_without_the_environment_of_the_operator_the_known_versions_warn() -> None:
    result = judge(15, operator())
    assert result.findings == ()
    (warning,) = result.warnings
    assert "PGO 5.8.2 has images of PostgreSQL 16 or 17" in warning
    assert "requests 15" in warning
    assert judge(16, operator()).warnings == ()


def test_without_the_deployment_the_label_of_the_definition_has_the_version() -> None:
    labelled = definition(17, **{"app.kubernetes.io/version": "5.8.2"})
    assert judge(15, None, labelled).warnings != ()
    assert judge(17, None, labelled).warnings == ()
    assert judge(15, None, definition(18)).warnings == ()


async def test_what_may_not_be_read_is_reported_and_refuses_nothing() -> None:
    kube = FakeCluster(operator("POSTGRES_15"), definition(15))
    kube.failures.forbid("list", "Deployment")
    kube.failures.forbid("get", "CustomResourceDefinition")
    result = await module.run(site(rendered("prod"), kube))
    assert result.findings == ()
    assert len(result.unavailable) == 2


async def test_a_release_is_compared_with_the_cluster() -> None:
    kube = FakeCluster(operator("POSTGRES_15", "PGBACKREST", "PGBOUNCER"), definition(15))
    assert (await module.run(site(rendered("dev"), kube))).findings == ()
    (finding,) = (await module.run(site(rendered("staging"), kube))).findings
    assert "accepts 15 at most" in finding.message
