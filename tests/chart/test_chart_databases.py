"""The release's databases: outside the cluster, kept when it goes, backed up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.rendering import render
from vrooli.chart.manifest import KEEP, Manifest

S3 = {"enabled": True, "bucket": "b", "endpoint": "e", "region": "r", "secretName": "s"}


def container(manifest: Manifest) -> dict[str, Any]:
    """The only container of a Deployment."""
    (found,) = manifest.body["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_external_databases_take_the_operators_place() -> None:
    found = render(
        {
            "pgoPostgresql": {"enabled": False},
            "externalPostgresql": {"host": "db.example.com", "sslmode": "verify-full"},
            "spotahomeRedis": {"enabled": False},
            "externalRedis": {"host": "redis.example.com"},
        }
    )
    kinds = {manifest.kind for manifest in found.values()}
    assert not kinds & {"PostgresCluster", "RedisFailover", "Secret"}
    connections = found["ConfigMap/demo-connections"].body["data"]
    assert connections["DB_HOST"] == "db.example.com"
    assert connections["DB_SSLMODE"] == "verify-full"
    assert "REDIS_SENTINEL_HOSTS" not in connections
    assert connections["REDIS_URL"] == "redis://redis.example.com:6379/0"


def test_the_address_of_an_external_redis_holds_no_password_and_vault_s_wins() -> None:
    """The client takes REDIS_PASSWORD by itself; what Secrets say comes after ConfigMaps."""
    outside = {
        "spotahomeRedis": {"enabled": False},
        "externalRedis": {"host": "redis.example.com", "tls": True},
    }
    found = render(outside)
    connections = found["ConfigMap/demo-connections"].body["data"]
    assert connections["REDIS_URL"] == "rediss://redis.example.com:6379/0"
    jobs = container(found["Deployment/demo-jobs"])
    assert not {"REDIS_URL", "REDIS_PASSWORD"} & {item["name"] for item in jobs["env"]}
    kinds = ["configMapRef" if "configMapRef" in item else "secretRef" for item in jobs["envFrom"]]
    assert kinds == sorted(kinds)
    without = render({**outside, "vso": {"secrets": {"redis": {"enabled": False}}}})
    assert "vrooli-redis-creds" not in json.dumps(dict(without["Deployment/demo-jobs"].body))


@pytest.mark.parametrize("instances", [1, 2, 3])
def test_pgo_alone_spreads_the_instances(instances: int) -> None:
    """PGO adds constraints by host and zone; the same one twice makes every pod invalid."""
    manifests = render({"pgoPostgresql": {"instances": instances}})
    spec = manifests["PostgresCluster/vrooli-pg"].body["spec"]
    (instance,) = spec["instances"]
    assert instance["replicas"] == instances
    assert "topologySpreadConstraints" not in instance


KEPT = {
    "PostgresCluster/vrooli-pg",
    "ConfigMap/vrooli-pg-init-sql",
    "Secret/vrooli-pg-pguser-vrooli",
    "NetworkPolicy/demo-postgres",
    "NetworkPolicy/demo-postgres-pool",
    "NetworkPolicy/demo-postgres-primary",
}


def test_the_database_outlives_the_release_with_what_it_reads_and_what_guards_it() -> None:
    def kept(settings: dict[str, Any]) -> set[str]:
        found = render(settings).items()
        return {key for key, item in found if item.annotations.get(KEEP) == "keep"}

    assert kept({}) == KEPT
    assert kept({"pgoPostgresql": {"keepOnUninstall": False}}) == set()


@pytest.mark.parametrize("encrypted", [True, False])
def test_backups_in_s3_are_encrypted_unless_that_is_refused(encrypted: bool) -> None:
    found = render({"pgoPostgresql": {"backup": {"s3": {**S3, "encrypted": encrypted}}}})
    backups = found["PostgresCluster/vrooli-pg"].body["spec"]["backups"]["pgbackrest"]
    assert (backups["global"].get("repo2-cipher-type") == "aes-256-cbc") is encrypted
    assert "repo1-cipher-type" not in backups["global"]


def test_backups_in_s3_are_made_at_times_of_their_own() -> None:
    """PgBackRest locks the database: of two backups that begin together one fails."""
    here = {"full": "0 1 * * 0", "differential": "0 1 * * 1-6"}
    found = render({"pgoPostgresql": {"backup": {"schedules": here, "s3": S3}}})
    repos = found["PostgresCluster/vrooli-pg"].body["spec"]["backups"]["pgbackrest"]["repos"]
    first, second = (repo["schedules"] for repo in repos)
    assert first == here
    assert second.keys() == here.keys()
    assert not set(first.values()) & set(second.values())
