"""A release without Vault and its Secrets Operator reads Secrets of the site, by their own keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.chart import golden, values
from vrooli.chart.manifest import Manifest
from vrooli.operators.vso import names as vso
from vrooli.secrets import catalog

CASE = "existing-secrets"
EVERYTHING = {"migration": {"enabled": True}}
# The Secrets of the example, and PGO's.
EXISTING = {"platform-app", "platform-redis", "platform-registry", "platform-web"}
PGO_SECRET = "vrooli-pg-pguser-vrooli"
READERS = ("Deployment/demo-server", "Deployment/demo-jobs", "Job/demo-migration")
REQUIRED = [
    key.name
    for secret in (catalog.SERVER_JOBS, catalog.POSTGRES, catalog.REDIS)
    for key in secret.keys
    if key.required
]


def objects(more: values.Values | None = None) -> dict[str, Manifest]:
    """The example with everything that has pods, and further values."""
    return render(values.merge(values.merge(golden.settings(CASE), EVERYTHING), more or {}))


def container(manifest: Manifest) -> Any:
    """The first container of a workload or a Job."""
    return manifest.body["spec"]["template"]["spec"]["containers"][0]


def secret_references(value: Any) -> Iterator[str]:
    """The names of the Secrets that any part of an object refers to."""
    if isinstance(value, list):
        for item in value:
            yield from secret_references(item)
        return
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in ("secretRef", "secretKeyRef"):
            yield inner["name"]
        elif key == "imagePullSecrets":
            yield from (item["name"] for item in inner)
        elif key in ("secretPath", "secretName"):
            yield inner
        else:
            yield from secret_references(inner)


def test_nothing_of_the_secrets_operator_and_no_rotator_is_rendered() -> None:
    rendered = objects().values()
    assert [item.key for item in rendered if item.api_version == vso.API_VERSION] == []
    assert [item.key for item in rendered if item.kind == "Secret" or "rotator" in item.name] == []


def test_no_secret_that_vault_would_fill_is_referenced() -> None:
    named = {name for item in objects().values() for name in secret_references(item.body)}
    assert named == {*EXISTING, PGO_SECRET}
    assert not named & {secret.kubernetes for secret in catalog.ALL}


@pytest.mark.parametrize("key", READERS)
@pytest.mark.parametrize("variable", REQUIRED)
def test_each_required_variable_comes_from_an_existing_secret(key: str, variable: str) -> None:
    found = {item["name"]: item for item in container(objects()[key])["env"]}
    reference = found[variable]["valueFrom"]["secretKeyRef"]
    assert reference["name"] in {*EXISTING, PGO_SECRET}
    assert not reference.get("optional")


@pytest.mark.parametrize("key", ("Deployment/demo-ui", *READERS))
def test_every_other_variable_of_the_five_secrets_may_be_missing(key: str) -> None:
    secret = catalog.SHARED_CONFIG if key.endswith("-ui") else catalog.SERVER_JOBS
    found = {item["name"]: item for item in container(objects()[key])["env"]}
    for optional in (item.name for item in secret.keys if not item.required):
        assert found[optional]["valueFrom"]["secretKeyRef"]["optional"] is True


def test_addresses_of_the_databases_are_still_set() -> None:
    connections = objects()["ConfigMap/demo-connections"].body["data"]
    assert {"DB_HOST", "DB_PORT", "REDIS_SENTINEL_HOSTS"} <= connections.keys()


def test_redis_reads_the_named_secret_whose_key_its_operator_decides() -> None:
    failover = objects()["RedisFailover/vrooli-rf"].body["spec"]
    assert failover["auth"] == {"secretPath": "platform-redis"}
    keys = {
        item["valueFrom"]["secretKeyRef"]["key"]
        for item in container(objects()[READERS[0]])["env"]
        if item.get("valueFrom", {}).get("secretKeyRef", {}).get("name") == "platform-redis"
    }
    assert keys == {"password"}


def test_the_secret_of_postgresql_has_the_name_that_pgo_gives_it() -> None:
    spec = objects()["PostgresCluster/vrooli-pg"].body
    user, *others = (item["name"] for item in spec["spec"]["users"])
    assert f"{spec['metadata']['name']}-pguser-{user}" == PGO_SECRET
    assert others == []  # the rotator's second login role


def test_databases_outside_the_release_may_have_any_keys() -> None:
    login = {"secretKeyRef": {"name": "platform-db", "key": "login"}}
    outside = {
        "pgoPostgresql": {"enabled": False},
        "externalPostgresql": {"host": "db.example.com"},
        "spotahomeRedis": {"enabled": False},
        "externalRedis": {"host": "redis.example.com"},
        "services": {"server": {"pod": {"variables": {"DB_USER": login}}}},
    }
    found = {item["name"]: item for item in container(objects(outside)[READERS[0]])["env"]}
    assert found["DB_USER"]["valueFrom"] == login


def test_test_pods_read_no_secret_but_that_of_the_registry() -> None:
    tests = [item for item in objects().values() if item.kind == "Pod"]
    assert len(tests) == 5
    for item in tests:
        assert set(secret_references(item.body)) == {"platform-registry"}
