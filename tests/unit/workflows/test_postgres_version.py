"""`develop` runs a version of PostgreSQL that the operator has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.chart import values as chart_values
from vrooli.environments import ENVIRONMENTS
from vrooli.operators import PGO
from vrooli.workflows.development import postgres_version


def _cluster(*majors: int) -> FakeCluster:
    env = [{"name": f"RELATED_IMAGE_POSTGRES_{major}", "value": "r/pg"} for major in majors]
    return FakeCluster(
        {
            "kind": "Deployment",
            "metadata": {
                "name": "pgo",
                "namespace": PGO.namespace,
                "labels": {PGO.selector: "pgo"},
            },
            "spec": {"template": {"spec": {"containers": [{"image": "r/pgo:1", "env": env}]}}},
        }
    )


async def _selected(kube: FakeCluster, environment: str, *files: Path) -> Any:
    values = chart_values.load(ENVIRONMENTS[environment], files)
    return await postgres_version.local_values(kube, values, files)


@pytest.mark.parametrize(
    ("environment", "majors", "version"),
    [
        ("dev", (15,), None),
        ("dev", (16, 17), 17),
        ("staging", (15,), 15),
        ("prod", (15,), 15),
        ("staging", (16, 17), None),
        ("staging", (), None),
    ],
)
async def test_the_version_is_replaced_only_if_the_operator_has_no_image_of_it(
    environment: str, majors: tuple[int, ...], version: int | None
) -> None:
    expected = {} if version is None else {"pgoPostgresql": {"postgresVersion": version}}
    assert await _selected(_cluster(*majors), environment) == expected


async def test_a_version_in_a_file_of_the_user_stays(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("pgoPostgresql: {postgresVersion: 16}\n")
    assert await _selected(_cluster(15), "staging", file) == {}


async def test_the_version_of_an_image_in_the_values_stays(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("pgoPostgresql: {image: 'r/postgres:17'}\n")
    assert await _selected(_cluster(15), "staging", file) == {}


async def test_without_an_operator_the_version_stays() -> None:
    assert await _selected(FakeCluster(), "staging") == {}
