"""Overrides: values of a release that are stored in the cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.release import Release, overrides, settable
from vrooli.workflows.scaling.growth_plan import KINDS
from vrooli.workflows.scaling.scale import COMPONENTS

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
NAME = overrides.config_map_name(RELEASE)
COMMAND = "vrooli scale server 5 -e dev"


def _stored(**data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": NAME}, "data": data}


async def test_a_release_without_the_config_map_has_no_overrides() -> None:
    assert not await overrides.fetch(FakeCluster(namespace()), RELEASE)


async def test_values_are_stored_with_their_author_and_command_and_read_back() -> None:
    cluster = FakeCluster(namespace())
    await overrides.set_values(
        cluster, RELEASE, {"replicaCount.server": 5, "persistence.postgres.size": "5Gi"}, COMMAND
    )
    stored = await overrides.fetch(cluster, RELEASE)
    item = stored.get("replicaCount.server")
    assert item is not None
    assert (item.value, item.command) == (5, COMMAND)
    assert item.by
    assert item.place
    assert item.format().startswith(f"replicaCount.server = 5 (`{COMMAND}`, ")
    assert stored.values == {
        "replicaCount": {"server": 5},
        "persistence": {"postgres": {"size": "5Gi"}},
    }


async def test_overrides_take_precedence_and_leave_other_values() -> None:
    cluster = FakeCluster(namespace())
    stored = await overrides.set_values(cluster, RELEASE, {"replicaCount.server": 5}, COMMAND)
    values = {"replicaCount": {"server": 1, "ui": 2}, "config": {"env": "staging"}}
    assert stored.merge_into(values) == {
        "replicaCount": {"server": 5, "ui": 2},
        "config": {"env": "staging"},
    }


async def test_setting_a_value_keeps_the_others() -> None:
    cluster = FakeCluster(namespace())
    await overrides.set_values(cluster, RELEASE, {"replicaCount.server": 5}, COMMAND)
    await overrides.set_values(cluster, RELEASE, {"replicaCount.ui": 2}, COMMAND)
    await overrides.set_values(cluster, RELEASE, {"replicaCount.server": 6}, COMMAND)
    stored = await overrides.fetch(cluster, RELEASE)
    assert stored.values == {"replicaCount": {"server": 6, "ui": 2}}


async def test_removing_the_last_value_deletes_the_config_map() -> None:
    cluster = FakeCluster(namespace())
    await overrides.set_values(
        cluster, RELEASE, {"replicaCount.server": 5, "replicaCount.ui": 2}, COMMAND
    )
    left = await overrides.remove(cluster, RELEASE, ["replicaCount.server"])
    assert left.values == {"replicaCount": {"ui": 2}}
    assert not await overrides.remove(cluster, RELEASE, ["replicaCount.ui"])
    assert await cluster.get("v1", "ConfigMap", NAME, "dev") is None


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"replicaCount.servers": 5}, "replicaCount"),
        ({"replicaCount.server": -1}, "replicaCount.server"),
        ({"replicaCount.server": "many"}, "replicaCount.server"),
        ({"persistence.postgres": 5}, "persistence.postgres"),
    ],
)
async def test_a_value_that_the_chart_rejects_is_not_stored(
    values: dict[str, Any], problem: str
) -> None:
    cluster = FakeCluster(namespace())
    with pytest.raises(UsageError, match=problem):
        await overrides.set_values(cluster, RELEASE, values, COMMAND)
    assert not cluster.changes


async def test_a_value_that_looks_like_a_secret_is_not_stored() -> None:
    cluster = FakeCluster(namespace())
    values = {"services.server.extraEnv.API_PASSWORD": "hunter2hunter2"}
    with pytest.raises(UsageError, match="look like secrets") as error:
        await overrides.set_values(cluster, RELEASE, values, COMMAND)
    assert "hunter2" not in error.value.message
    assert not cluster.changes


@pytest.mark.parametrize("path", ["", ".", "a..b", "a/b", "a b", "-.", "a.\n"])
async def test_a_path_that_is_not_one_of_keys_is_not_stored(path: str) -> None:
    with pytest.raises((ValueError, UsageError)):
        await overrides.set_values(FakeCluster(namespace()), RELEASE, {path: 1}, COMMAND)


VALID = {"value": 1, "command": "c", "by": "b", "place": "p", "at": "2026-01-02T03:04:05+00:00"}


@pytest.mark.parametrize(
    "packed",
    [
        "5",
        "null",
        "[]",
        "{",
        json.dumps({**VALID, "at": "yesterday"}),
        json.dumps({**VALID, "at": 5}),
        json.dumps({**VALID, "by": None}),
        json.dumps({key: value for key, value in VALID.items() if key != "value"}),
    ],
)
async def test_an_entry_that_was_edited_wrongly_is_reported_with_its_name(packed: str) -> None:
    cluster = FakeCluster(namespace(), _stored(**{"replicaCount.ui": packed}))
    with pytest.raises(PrerequisiteError, match=r"key replicaCount\.ui of ConfigMap") as error:
        await overrides.fetch(cluster, RELEASE)
    assert f"kubectl edit configmap {NAME} -n dev" in error.value.advice


async def test_entries_that_are_not_valid_can_be_removed() -> None:
    cluster = FakeCluster(namespace(), _stored(**{"replicaCount.ui": "{"}))
    assert not await overrides.remove(cluster, RELEASE)
    assert not await overrides.fetch(cluster, RELEASE)


def test_of_two_paths_the_longer_one_takes_precedence() -> None:
    values = {"config": {"env": "a", "logLevel": "warn"}, "config.env": "b"}
    assert overrides.nested(values) == {"config": {"env": "b", "logLevel": "warn"}}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("services.server.image", {}),
        ("networkPolicies.enabled", {}),
        ("replicaCount", {}),
        ("replicaCount.ui", {"value": {"x": 1}}),
        ("replicaCount.ui", {"value": True}),
        ("replicaCount.ui", {"command": "`reboot`"}),
        ("replicaCount.ui", {"command": "a\nb"}),
    ],
)
async def test_an_entry_that_no_command_writes_is_refused(
    path: str, fields: dict[str, object]
) -> None:
    cluster = FakeCluster(namespace(), _stored(**{path: json.dumps({**VALID, **fields})}))
    with pytest.raises(PrerequisiteError, match="is not valid"):
        await overrides.fetch(cluster, RELEASE)


def test_all_values_that_commands_set_are_accepted() -> None:
    paths = [item.path for item in COMPONENTS.values()] + [item.path for item in KINDS.values()]
    paths += [
        f"services.{item.service}.autoscaling.minReplicas"
        for item in COMPONENTS.values()
        if item.service
    ]
    assert [path for path in paths if not settable.PATHS.fullmatch(path)] == []
