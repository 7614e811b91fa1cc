"""The images that PGO has and those that a PostgresCluster needs."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered
from vrooli.operators.pgo import images

OFFERED = frozenset({"POSTGRES_16", "POSTGRES_17", "POSTGRES_17_GIS_3.5", "PGBACKREST"})


def deployment(**variables: Any) -> dict[str, Any]:
    """An operator's Deployment with these variables."""
    entries = [
        {"name": f"RELATED_IMAGE_{name}", "value": value} for name, value in variables.items()
    ]
    env = [{"name": "PGO_NAMESPACE", "valueFrom": {}}, *entries]
    return {"spec": {"template": {"spec": {"containers": [{"name": "operator", "env": env}]}}}}


def cluster(environment: str = "prod", **changes: Any) -> Any:
    """The PostgresCluster of an environment."""
    manifests = rendered(environment, pgoPostgresql=changes)
    return next(item for item in manifests if item.kind == "PostgresCluster").body


def test_a_variable_without_a_value_is_no_image() -> None:
    found = images.offered_images(deployment(POSTGRES_16="", POSTGRES_17="r/pg:17", PGBOUNCER="b"))
    assert found == {"POSTGRES_17", "PGBOUNCER"}


def test_images_with_gis_are_no_versions_of_their_own() -> None:
    assert images.postgres_versions(OFFERED) == [16, 17]


def test_every_part_without_an_image_of_its_own_is_required() -> None:
    required = {"POSTGRES_17", "PGBACKREST", "PGBOUNCER", "PGEXPORTER"}
    assert set(images.required_images(cluster())) == required
    assert images.missing_images(cluster(), OFFERED) == ["PGBOUNCER", "PGEXPORTER"]


@pytest.mark.parametrize(
    ("changes", "image"),
    [
        ({"image": "r/pg:17"}, "POSTGRES_17"),
        ({"backup": {"image": "r/pgbackrest:2"}}, "PGBACKREST"),
        ({"pgBouncer": {"image": "r/pgbouncer:1"}}, "PGBOUNCER"),
        ({"monitoring": {"image": "r/exporter:1"}}, "PGEXPORTER"),
        ({"monitoring": {"enabled": False}}, "PGEXPORTER"),
    ],
)
def test_an_image_in_the_values_is_not_required_of_the_operator(
    changes: dict[str, Any], image: str
) -> None:
    assert image not in set(images.required_images(cluster(**changes)))


@pytest.mark.parametrize(
    ("requested", "offered", "version"),
    [
        (17, {"POSTGRES_15"}, 15),
        (15, {"POSTGRES_16", "POSTGRES_17"}, 17),
        (16, {"POSTGRES_16", "POSTGRES_17"}, 16),
        (17, set(), 17),
        (17, {"PGBACKREST"}, 17),
    ],
)
def test_a_version_that_the_operator_has_is_selected(
    requested: int, offered: set[str], version: int
) -> None:
    assert images.select_version(requested, offered) == version
