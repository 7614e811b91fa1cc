"""The chart refuses wrong values itself, with a message that names the key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from support.rendering import render
from vrooli import project
from vrooli.chart import reference, values
from vrooli.errors import UsageError

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ingres": {}}, "ingres"),
    ({"services": {"server": {"replicas": 3}}}, "replicas"),
    ({"services": {"ui": {"probes": {"livenesPath": "/"}}}}, "livenesPath"),
    ({"services": {"ui": {"port": "3000"}}}, "/services/ui/port"),
    ({"services": {"ui": {"port": 70000}}}, "/services/ui/port"),
    ({"services": {"jobs": {"resources": {"limits": {"cpu": "much"}}}}}, "limits/cpu"),
    ({"services": {"server": {"probes": {"livenessPath": None}}}}, "livenessPath"),
    ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
    ({"secrets": {"api": {"KEY": "value"}}}, "/secrets"),
    ({"persistence": {"postgres": {"enabled": False}}}, "/persistence/postgres/enabled"),
    ({"persistence": {"redis": {"size": "0"}}}, "/persistence/redis/size"),
    ({"pgoPostgresql": {"enabled": False}}, "/externalPostgresql/host"),
    ({"spotahomeRedis": {"enabled": False}}, "/externalRedis/host"),
    ({"pgoPostgresql": {"users": []}}, "/pgoPostgresql/users"),
    ({"pgoPostgresql": {"users": [{"name": "a_b", "databases": ["a"]}]}}, "/users/0/name"),
    ({"pgoPostgresql": {"synchronous": True}}, "/pgoPostgresql/instances"),
    ({"pgoPostgresql": {"backup": {"s3": {"enabled": True}}}}, "s3/bucket"),
    ({"pgoPostgresql": {"pgBouncer": {"config": {"max_client_conn": 5}}}}, "max_client_conn"),
    ({"spotahomeRedis": {"redis": {"replicas": 4}}}, "/spotahomeRedis/redis/replicas"),
    ({"spotahomeRedis": {"sentinel": {"replicas": 1}}}, "/spotahomeRedis/redis/replicas"),
    ({"ingress": {"enabled": True}}, "/ingress/hosts"),
    (
        {"ingress": {"hosts": [{"host": "a.b", "paths": [{"path": "/", "service": "api"}]}]}},
        "paths/0/service",
    ),
    ({"vso": {"vaultAddr": "vault:8200"}}, "/vso/vaultAddr"),
    ({"vso": {"refreshAfter": "often"}}, "/vso/refreshAfter"),
    ({"vso": {"secrets": {"redis": {"vaultPath": "secret/vrooli/redis"}}}}, "redis/vaultPath"),
]


@pytest.mark.parametrize(("wrong", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_wrong_value_is_refused_by_its_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as refused:
        render(wrong)
    assert named in refused.value.message


def test_a_path_to_a_disabled_service_is_refused() -> None:
    paths = [{"path": "/", "service": "adminer"}]
    ingress = {"enabled": True, "hosts": [{"host": "a.b", "paths": paths}]}
    with pytest.raises(UsageError, match=r"adminer.*disabled"):
        render({"ingress": ingress, "services": {"adminer": {"enabled": False}}})


def test_every_value_is_described_beside_it() -> None:
    """Each value, or a map that it is part of, follows a `# --` line in values.yaml."""
    described = {value.path for value in reference.described()}
    leaves = list(_leaves(values.read(project.chart_dir() / "values.yaml")))
    assert len(leaves) > 150
    assert [
        ".".join(leaf)
        for leaf in leaves
        if not any(leaf[:depth] in described for depth in range(1, len(leaf) + 1))
    ] == []


def test_the_readme_lists_every_value_as_it_is() -> None:
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        reference.update()
    difference = reference.difference()
    assert not difference, (
        f"the table of k8s/README.md is out of date; to write it anew, run\n"
        f"  bash k8s/chart/tests/test-golden-files.sh --update\n{difference}"
    )


def _leaves(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(found, dict) and found:
        for key, value in found.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path


def test_the_schema_knows_no_key_that_the_values_lack() -> None:
    """Each key the schema requires at the top is there, and nothing else but Helm's own."""
    defaults = values.read(project.chart_dir() / "values.yaml")
    schema = values.read(project.chart_dir() / "values.schema.json")
    assert set(schema["properties"]) - {"global"} == set(defaults)
