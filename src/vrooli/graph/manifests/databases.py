"""PostgreSQL and Redis, as their operators' resources describe them, or as they are elsewhere.

No I/O here. Labels, roles and Services are those that PGO and the Redis operator make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph import reading
from vrooli.graph.model import Party, Reason

PGO = "postgres-operator.crunchydata.com"
COMPONENT = "app.kubernetes.io/component"
REDIS_ROLE = "redisfailovers-role"
# What Patroni calls its leader: "master" until 3.2, "primary" from 4.0 on.
LEADERS = (f"{PGO}/role", ("master", "primary"))
POSTGRES_PORT, REDIS_PORT, SENTINEL_PORT = 5432, 6379, 26379


@dataclass(frozen=True)
class Part:
    """One part of a database: its pods, and the field that wants them."""

    party: Party
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Database:
    """A database that an operator runs; a part that nothing wants is absent.

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


def postgres(manifests: Iterable[Manifest]) -> Database | None:
    """The PostgreSQL cluster of a release."""
    found = next((item for item in manifests if item.kind == "PostgresCluster"), None)
    if found is None:
        return None
    body, labels = found.body, ((f"{PGO}/cluster", found.name),)
    instances = reading.items(body, "spec", "instances")
    replicas = sum(reading.number(item, "replicas", default=1) for item in instances)
    counted = (Reason(found.key, "spec.instances[*].replicas", str(replicas)),)
    parts: dict[str, Part] = {}
    if replicas > 0:
        parts["primary"] = Part(
            _pods("PostgreSQL's primary", labels, LEADERS, POSTGRES_PORT, _leading(found.name)),
            counted,
        )
    if replicas > 1:
        roles = (f"{PGO}/role", ("replica",))
        services = (f"{found.name}-replicas",)
        party = _pods("PostgreSQL's replica", labels, roles, POSTGRES_PORT, services)
        parts["replica"] = Part(party, counted)
    pool = reading.mapping(body, "spec", "proxy", "pgBouncer")
    if pool:
        asked = reading.number(pool, "replicas", default=1)
        party = _pods(
            "pgBouncer",
            labels,
            (f"{PGO}/role", ("pgbouncer",)),
            POSTGRES_PORT,
            (f"{found.name}-pgbouncer",),
        )
        reason = Reason(found.key, "spec.proxy.pgBouncer.replicas", str(asked))
        parts["pool"] = Part(party, (reason,))
    repositories = reading.items(body, "spec", "backups", "pgbackrest", "repos")
    if repositories:
        names = ", ".join(reading.text(item, "name") for item in repositories)
        reason = Reason(found.key, "spec.backups.pgbackrest.repos", names)
        party = _pods("pgBackRest", (*labels, (f"{PGO}/pgbackrest-dedicated", "")), None, 0, ())
        parts["backups"] = Part(party, (reason,))
    return Database("PostgresCluster", found.name, parts, found)


def redis(manifests: Iterable[Manifest]) -> Database | None:
    """The Redis failover of a release."""
    found = next((item for item in manifests if item.kind == "RedisFailover"), None)
    if found is None:
        return None
    wanted = reading.number(found.body, "spec", "redis", "replicas", default=3)
    watching = reading.number(found.body, "spec", "sentinel", "replicas", default=3)
    counted = (Reason(found.key, "spec.redis.replicas", str(wanted)),)
    name = ("app.kubernetes.io/name", found.name)
    of_redis, of_sentinel = (name, (COMPONENT, "redis")), (name, (COMPONENT, "sentinel"))
    parts: dict[str, Part] = {}
    if wanted > 0:
        roles = (REDIS_ROLE, ("master",))
        parts["master"] = Part(_pods("Redis' master", of_redis, roles, REDIS_PORT, ()), counted)
    if wanted > 1:
        roles = (REDIS_ROLE, ("slave",))
        parts["replica"] = Part(_pods("Redis' replica", of_redis, roles, REDIS_PORT, ()), counted)
    if watching > 0:
        reason = Reason(found.key, "spec.sentinel.replicas", str(watching))
        services = (f"rfs-{found.name}",)
        party = _pods("Sentinel", of_sentinel, None, SENTINEL_PORT, services)
        parts["sentinel"] = Part(party, (reason,))
    return Database("RedisFailover", found.name, parts, found)


def _leading(name: str) -> tuple[str, ...]:
    """The Services that lead to the primary: PGO's own, and Patroni's that it stands for."""
    return f"{name}-primary", f"{name}-ha"


def _pods(
    title: str,
    labels: tuple[tuple[str, str], ...],
    roles: tuple[str, tuple[str, ...]] | None,
    port: int,
    services: tuple[str, ...],
) -> Party:
    return Party(title, labels, roles, services=services, ports=(port,) if port else ())
