"""PostgreSQL and Redis, from the resources of their operators.

No I/O here. Labels, roles and Services are those that PGO and the Redis operator make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph.model import Reason
from vrooli.graph.relations import Endpoint
from vrooli.kube import common_labels, objects
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis

PRIMARY_ROLES = (pgo.ROLE_LABEL, pgo.LEADER_ROLES)
POSTGRES_PORT, REDIS_PORT, SENTINEL_PORT = 5432, 6379, 26379


@dataclass(frozen=True)
class Part:
    """One part of a database: its pods, and the field that requests them."""

    endpoint: Endpoint
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Database:
    """A database that an operator runs; a part with no replicas is absent.

    Attributes:
        kind: PostgresCluster or RedisFailover.
        name: The resource's name.
        parts: Its parts: pool, primary, replica, backups; master, replica, sentinel.
        manifest: The resource.
    """

    kind: str
    name: str
    parts: dict[str, Part]
    manifest: Manifest


def find_postgres(manifests: Iterable[Manifest]) -> Database | None:
    """The PostgreSQL cluster of a release."""
    manifest = next((item for item in manifests if item.kind == "PostgresCluster"), None)
    if manifest is None:
        return None
    parts = {**_instances(manifest), **_pool(manifest), **_backups(manifest)}
    return Database("PostgresCluster", manifest.name, parts, manifest)


def _cluster_labels(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    return ((pgo.CLUSTER_LABEL, manifest.name),)


def _instances(manifest: Manifest) -> dict[str, Part]:
    """The primary and its replicas."""
    labels = _cluster_labels(manifest)
    instances = objects.items(manifest.body, "spec", "instances")
    replicas = sum(objects.number(item, "replicas", default=1) for item in instances)
    reasons = (Reason(manifest.key, "spec.instances[*].replicas", str(replicas)),)
    parts: dict[str, Part] = {}
    if replicas > 0:
        services = _primary_services(manifest.name)
        endpoint = _database_endpoint(
            "PostgreSQL's primary", labels, PRIMARY_ROLES, POSTGRES_PORT, services
        )
        parts["primary"] = Part(endpoint, reasons)
    if replicas > 1:
        roles = (pgo.ROLE_LABEL, ("replica",))
        services = (f"{manifest.name}-replicas",)
        endpoint = _database_endpoint(
            "PostgreSQL's replica", labels, roles, POSTGRES_PORT, services
        )
        parts["replica"] = Part(endpoint, reasons)
    return parts


def _pool(manifest: Manifest) -> dict[str, Part]:
    """The connection pool, if there is one."""
    pool = objects.mapping(manifest.body, "spec", "proxy", "pgBouncer")
    if not pool:
        return {}
    replicas = objects.number(pool, "replicas", default=1)
    roles = (pgo.ROLE_LABEL, ("pgbouncer",))
    services = (f"{manifest.name}-pgbouncer",)
    endpoint = _database_endpoint(
        "pgBouncer", _cluster_labels(manifest), roles, POSTGRES_PORT, services
    )
    reason = Reason(manifest.key, "spec.proxy.pgBouncer.replicas", str(replicas))
    return {"pool": Part(endpoint, (reason,))}


def _backups(manifest: Manifest) -> dict[str, Part]:
    """The host of the backup repositories, if there are any."""
    repositories = objects.items(manifest.body, "spec", "backups", "pgbackrest", "repos")
    if not repositories:
        return {}
    names = ", ".join(objects.text(item, "name") for item in repositories)
    labels = (*_cluster_labels(manifest), (pgo.DEDICATED_REPOSITORY_LABEL, ""))
    endpoint = _database_endpoint("pgBackRest", labels, None, 0, ())
    reason = Reason(manifest.key, "spec.backups.pgbackrest.repos", names)
    return {"backups": Part(endpoint, (reason,))}


def find_redis(manifests: Iterable[Manifest]) -> Database | None:
    """The Redis failover of a release."""
    manifest = next((item for item in manifests if item.kind == "RedisFailover"), None)
    if manifest is None:
        return None
    replicas = objects.number(manifest.body, "spec", "redis", "replicas", default=3)
    sentinels = objects.number(manifest.body, "spec", "sentinel", "replicas", default=3)
    replica_reasons = (Reason(manifest.key, "spec.redis.replicas", str(replicas)),)
    name = (common_labels.NAME, manifest.name)
    of_redis, of_sentinel = (
        (name, (redis.COMPONENT_LABEL, "redis")),
        (name, (redis.COMPONENT_LABEL, "sentinel")),
    )
    parts: dict[str, Part] = {}
    if replicas > 0:
        roles = (redis.ROLE_LABEL, ("master",))
        parts["master"] = Part(
            _database_endpoint("Redis' master", of_redis, roles, REDIS_PORT, ()), replica_reasons
        )
    if replicas > 1:
        roles = (redis.ROLE_LABEL, ("slave",))
        parts["replica"] = Part(
            _database_endpoint("Redis' replica", of_redis, roles, REDIS_PORT, ()), replica_reasons
        )
    if sentinels > 0:
        reason = Reason(manifest.key, "spec.sentinel.replicas", str(sentinels))
        services = (redis.sentinel_name(manifest.name),)
        endpoint = _database_endpoint("Sentinel", of_sentinel, None, SENTINEL_PORT, services)
        parts["sentinel"] = Part(endpoint, (reason,))
    return Database("RedisFailover", manifest.name, parts, manifest)


def _primary_services(name: str) -> tuple[str, ...]:
    """The Services of the primary: PGO's, and Patroni's behind it."""
    return f"{name}-primary", f"{name}-ha"


def _database_endpoint(
    title: str,
    labels: tuple[tuple[str, str], ...],
    roles: tuple[str, tuple[str, ...]] | None,
    port: int,
    services: tuple[str, ...],
) -> Endpoint:
    return Endpoint(title, labels, roles, services=services, ports=(port,) if port else ())
