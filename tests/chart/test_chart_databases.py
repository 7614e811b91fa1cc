"""The release's databases: external, retained on uninstall, backed up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.chart import values
from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.environments import ENVIRONMENTS

# The least that Patroni takes, seconds.
LEAST_RETRY_S = 3
# Those that PostgreSQL keeps for superusers, Patroni's, and an exporter's.
OWN_CONNECTIONS = 7
S3 = {"enabled": True, "bucket": "b", "endpoint": "e", "region": "r", "secretName": "s"}


def container(manifest: Manifest) -> dict[str, Any]:
    """The only container of a Deployment."""
    (only,) = manifest.body["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_external_databases_replace_the_operators() -> None:
    objects = render(
        {
            "pgoPostgresql": {"enabled": False},
            "externalPostgresql": {"host": "db.example.com", "sslmode": "verify-full"},
            "spotahomeRedis": {"enabled": False},
            "externalRedis": {"host": "redis.example.com"},
        }
    )
    kinds = {manifest.kind for manifest in objects.values()}
    assert not kinds & {"PostgresCluster", "RedisFailover", "Secret", "Role"}
    assert "Deployment/demo-rotator" not in objects
    connections = objects["ConfigMap/demo-connections"].body["data"]
    assert connections["DB_HOST"] == "db.example.com"
    assert connections["DB_SSLMODE"] == "verify-full"
    assert "REDIS_SENTINEL_HOSTS" not in connections
    assert connections["REDIS_URL"] == "redis://redis.example.com:6379/0"


def test_redis_url_has_no_password_and_vault_takes_precedence() -> None:
    """The client reads REDIS_PASSWORD; Secrets take precedence over ConfigMaps."""
    outside = {
        "spotahomeRedis": {"enabled": False},
        "externalRedis": {"host": "redis.example.com", "tls": True},
    }
    objects = render(outside)
    connections = objects["ConfigMap/demo-connections"].body["data"]
    assert connections["REDIS_URL"] == "rediss://redis.example.com:6379/0"
    jobs = container(objects["Deployment/demo-jobs"])
    assert not {"REDIS_URL", "REDIS_PASSWORD"} & {item["name"] for item in jobs["env"]}
    kinds = ["configMapRef" if "configMapRef" in item else "secretRef" for item in jobs["envFrom"]]
    assert kinds == sorted(kinds)
    without = render({**outside, "vso": {"secrets": {"redis": {"enabled": False}}}})
    assert "vrooli-redis-creds" not in json.dumps(dict(without["Deployment/demo-jobs"].body))


@pytest.mark.parametrize("instances", [1, 2, 3])
def test_pgo_alone_spreads_the_instances(instances: int) -> None:
    """PGO adds constraints by host and zone; a duplicate makes every pod invalid."""
    manifests = render({"pgoPostgresql": {"instances": instances}})
    spec = manifests["PostgresCluster/vrooli-pg"].body["spec"]
    (instance,) = spec["instances"]
    assert instance["replicas"] == instances
    assert "topologySpreadConstraints" not in instance


@pytest.mark.parametrize(("lease", "sync"), [(20, 6), (20, 10), (30, 10), (21, 2), (60, 3)])
def test_a_patroni_check_and_two_retries_fit_into_the_lease(lease: int, sync: int) -> None:
    """Patroni's rule; PGO's defaults, 30 s and 10 s, result in Patroni's default of 10 s."""
    timing = {"leaderLeaseDurationSeconds": lease, "syncPeriodSeconds": sync}
    cluster = render({"pgoPostgresql": {"patroni": timing}})["PostgresCluster/vrooli-pg"].body
    patroni = cluster["spec"]["patroni"]
    assert patroni.items() >= timing.items()
    retry = patroni["dynamicConfiguration"]["retry_timeout"]
    assert retry >= LEAST_RETRY_S
    assert sync + 2 * retry <= lease


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_pools_stay_below_max_connections(name: str) -> None:
    """With the pools of two users during a rotation, and a surge pod of pgBouncer."""
    spec = render(values.load(ENVIRONMENTS[name]))["PostgresCluster/vrooli-pg"].body["spec"]
    parameters = spec["patroni"]["dynamicConfiguration"]["postgresql"]["parameters"]
    pool = spec["proxy"]["pgBouncer"]
    settings = pool["config"]["global"]
    most = (pool["replicas"] + 1) * int(settings["max_db_connections"])
    assert most + OWN_CONNECTIONS <= parameters["max_connections"]
    assert int(settings["default_pool_size"]) <= int(settings["max_db_connections"])


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_database_pods_are_replicated_outside_development(name: str) -> None:
    objects = render(values.load(ENVIRONMENTS[name]))
    postgres = objects["PostgresCluster/vrooli-pg"].body["spec"]
    redis = objects["RedisFailover/vrooli-rf"].body["spec"]
    counts = (
        postgres["instances"][0]["replicas"],
        postgres["proxy"]["pgBouncer"]["replicas"],
        redis["redis"]["replicas"],
        redis["sentinel"]["replicas"],
    )
    assert min(counts) > 1
    # Else what the lost primary had acknowledged may be lost with it.
    assert postgres["patroni"]["dynamicConfiguration"]["synchronous_mode"] is True


RETAINED = {
    "PostgresCluster/vrooli-pg",
    "ConfigMap/vrooli-pg-init-sql",
    "NetworkPolicy/demo-postgres",
    "NetworkPolicy/demo-postgres-pool",
    "NetworkPolicy/demo-postgres-primary",
}


def test_postgres_objects_are_retained_on_uninstall() -> None:
    def retained(settings: dict[str, Any]) -> set[str]:
        objects = render(settings).items()
        return {key for key, item in objects if item.annotations.get(RESOURCE_POLICY) == "keep"}

    assert retained({}) == RETAINED
    assert retained({"pgoPostgresql": {"keepOnUninstall": False}}) == set()
    unrotated = {"rotation": {"enabled": False}}
    assert retained(unrotated) == {*RETAINED, "Secret/vrooli-pg-pguser-vrooli"}


@pytest.mark.parametrize("encrypted", [True, False])
def test_backups_in_s3_are_encrypted_unless_disabled(encrypted: bool) -> None:
    objects = render({"pgoPostgresql": {"backup": {"s3": {**S3, "encrypted": encrypted}}}})
    backups = objects["PostgresCluster/vrooli-pg"].body["spec"]["backups"]["pgbackrest"]
    assert (backups["global"].get("repo2-cipher-type") == "aes-256-cbc") is encrypted
    assert "repo1-cipher-type" not in backups["global"]


def test_backups_in_s3_must_have_separate_schedules() -> None:
    """PgBackRest locks the database: of two simultaneous backups, one fails."""
    here = {"full": "0 1 * * 0", "differential": "0 1 * * 1-6"}
    objects = render({"pgoPostgresql": {"backup": {"schedules": here, "s3": S3}}})
    repos = objects["PostgresCluster/vrooli-pg"].body["spec"]["backups"]["pgbackrest"]["repos"]
    first, second = (repo["schedules"] for repo in repos)
    assert first == here
    assert second.keys() == here.keys()
    assert not set(first.values()) & set(second.values())


def test_redis_and_sentinel_run_with_an_account_without_a_token() -> None:
    objects = render()
    spec = objects["RedisFailover/vrooli-rf"].body["spec"]
    for part in ("redis", "sentinel"):
        account = objects[f"ServiceAccount/{spec[part]['serviceAccountName']}"]
        assert account.body["automountServiceAccountToken"] is False
