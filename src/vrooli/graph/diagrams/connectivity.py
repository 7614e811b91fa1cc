"""The second diagram: Service Connectivity and Data Flow. No I/O here."""

from __future__ import annotations

from vrooli.graph.builder import DiagramBuilder
from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.databases import Database, Part
from vrooli.graph.manifests.facts import Facts, connections_to
from vrooli.graph.model import Diagram, Group, Reason, Title
from vrooli.graph.relations import ConnectsTo, Endpoint, Owns

FRONTEND, BACKEND, AI = "Frontend", "Backend Services", "AI/ML Services"
DATA, TOOLS = "Data Persistence", "Development Tools"
GROUPS = (Group(FRONTEND), Group(BACKEND), Group(AI), Group(DATA), Group(TOOLS))
GROUP_BY_COMPONENT = {"ui": FRONTEND, "nsfw-detector": AI, "adminer": TOOLS}
# The labels of arrows to a component, to the primary and to the Redis master.
TO_COMPONENT = {"server": "HTTP API Calls", "nsfw-detector": "Content Analysis"}
TO_PRIMARY = {"server": "SQL Queries", "jobs": "SQL Operations", "adminer": "Admin Access"}
TO_MASTER = "Cache Operations"
TO_SENTINEL = "Asks for the Master"
POSTGRES: dict[str, tuple[str, str]] = {
    "primary": ("PGPrimary", "Primary Instance"),
    "replica": ("PGReplica", "Replica Instance"),
    "backups": ("PGBackup", "pgBackRest Backups"),
}
REDIS: dict[str, tuple[str, str]] = {
    "master": ("RedisMaster", "Redis Master"),
    "replica": ("RedisReplica", "Redis Replica"),
    "sentinel": ("RedisSentinel", "Redis Sentinel"),
}


def build(facts: Facts) -> Diagram:
    """Connections between services, and the parts of the databases."""
    builder = DiagramBuilder("connectivity", "Service Connectivity and Data Flow", "LR", GROUPS)
    for component in facts.components:
        group = GROUP_BY_COMPONENT.get(component.name, BACKEND)
        builder.add_node(component.id, _component_title(component), group, _style(component))
    if facts.postgres:
        builder.add_node("PGCluster", ("PostgreSQL Cluster",), DATA, "data")
        _add_database_parts(builder, facts.postgres, "PGCluster", POSTGRES)
    if facts.redis:
        builder.add_node("RedisCluster", ("Redis Failover Cluster",), DATA, "data")
        _add_database_parts(builder, facts.redis, "RedisCluster", REDIS)
    for source in facts.components:
        for target in facts.components:
            if source is not target:
                label = TO_COMPONENT.get(target.name, "")
                reasons = facts.reasons_between(source, target.endpoint)
                builder.add_arrow(
                    source.id,
                    target.id,
                    reasons,
                    *connections_to(source, target.endpoint),
                    label=label,
                )
        _add_postgres_arrows(builder, facts, source)
        _add_redis_arrows(builder, facts, source)
    _add_replication_arrows(builder, facts)
    return builder.build()


def _component_title(component: Component) -> Title:
    port = (f"Port: {component.port}",) if component.port else ()
    titles: dict[str, Title] = {
        "ui": ("UI Container", "React App (built)", "Node.js + serve package", *port),
        "server": ("Server Container", "API Server", *port),
        "jobs": ("Jobs Container", "Background Processing"),
        "nsfw-detector": ("NSFW Detector", "Content Moderation"),
        "adminer": ("Adminer", "DB Admin Interface"),
        "rotator": ("Rotator", "Password Rotation"),
    }
    return titles.get(component.name, (component.name, *port))


def _style(component: Component) -> str:
    return "files" if component.name == "adminer" else "service"


def _add_database_parts(
    builder: DiagramBuilder, database: Database, node: str, titles: dict[str, tuple[str, str]]
) -> None:
    for name, (part_node, title) in titles.items():
        part = database.parts.get(name)
        if part:
            builder.add_node(part_node, (title,), DATA, "data")
            relation = Owns(database.kind, database.name, part.endpoint)
            builder.add_arrow(node, part_node, part.reasons, relation)


def _add_postgres_arrows(builder: DiagramBuilder, facts: Facts, component: Component) -> None:
    label = TO_PRIMARY.get(component.name, "SQL")
    external = facts.external_database(component, "PostgreSQL")
    if facts.postgres:
        pool, primary = (facts.postgres.parts.get(name) for name in ("pool", "primary"))
        pool_reasons = facts.reasons_between(component, pool)
        if pool_reasons and pool and primary:
            # The pool's pods open their own connections to the primary.
            relations = (
                *connections_to(component, pool),
                ConnectsTo(pool.endpoint, primary.endpoint),
            )
            reasons = (*pool_reasons, *pool.reasons)
            builder.add_arrow(component.id, "PGPrimary", reasons, *relations, label=label)
        reasons = facts.reasons_between(component, primary)
        builder.add_arrow(
            component.id, "PGPrimary", reasons, *connections_to(component, primary), label=label
        )
    elif external:
        _add_external_database(builder, facts, component, "PGPrimary", external, label)


def _add_redis_arrows(builder: DiagramBuilder, facts: Facts, component: Component) -> None:
    external = facts.external_database(component, "Redis")
    if facts.redis:
        sentinel, master = (facts.redis.parts.get(name) for name in ("sentinel", "master"))
        # Clients ask Sentinel for the master, so Sentinel's address supports both arrows.
        aliases = sentinel.endpoint.services if sentinel else ()
        for part, node, label in (
            (master, "RedisMaster", TO_MASTER),
            (sentinel, "RedisSentinel", TO_SENTINEL),
        ):
            reasons = facts.reasons_between(component, part, aliases)
            builder.add_arrow(
                component.id,
                node,
                reasons,
                *connections_to(component, part),
                label=label,
                dashed=node == "RedisSentinel",
            )
    elif external:
        _add_external_database(builder, facts, component, "RedisMaster", external, TO_MASTER)


def _add_external_database(
    builder: DiagramBuilder,
    facts: Facts,
    component: Component,
    node: str,
    endpoint: Endpoint,
    label: str,
) -> None:
    builder.add_node(node, (*endpoint.title.split(" at "), "outside the cluster"), DATA, "data")
    reasons = facts.reasons_between(component, endpoint)
    builder.add_arrow(
        component.id, node, reasons, *connections_to(component, endpoint), label=label
    )


def _add_replication_arrows(builder: DiagramBuilder, facts: Facts) -> None:
    """Replication and monitoring, implied by the replica counts of the operators' resources."""
    postgres = facts.postgres.parts if facts.postgres else {}
    redis = facts.redis.parts if facts.redis else {}
    # The second node opens the connection: replicas and Sentinels connect, data flow back.
    for source, target, label, client, server in (
        ("PGPrimary", "PGReplica", "Replication", postgres.get("replica"), postgres.get("primary")),
        ("RedisMaster", "RedisReplica", "Replication", redis.get("replica"), redis.get("master")),
        ("RedisSentinel", "RedisMaster", "Monitoring", redis.get("sentinel"), redis.get("master")),
        (
            "RedisSentinel",
            "RedisReplica",
            "Monitoring",
            redis.get("sentinel"),
            redis.get("replica"),
        ),
    ):
        if client and server:
            relation = ConnectsTo(client.endpoint, server.endpoint)
            builder.add_arrow(
                source, target, _merge_reasons(client, server), relation, label=label, dashed=True
            )


def _merge_reasons(first: Part, second: Part) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys((*first.reasons, *second.reasons)))
