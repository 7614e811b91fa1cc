"""The second diagram: Service Connectivity and Data Flow. No I/O here."""

from __future__ import annotations

from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.databases import Database, Part
from vrooli.graph.manifests.facts import Facts, calls
from vrooli.graph.model import Calls, Consists, Diagram, Group, Party, Reason, Sketch, Title

FRONTEND, BACKEND, AI = "Frontend", "Backend Services", "AI/ML Services"
DATA, TOOLS = "Data Persistence", "Development Tools"
GROUPS = (Group(FRONTEND), Group(BACKEND), Group(AI), Group(DATA), Group(TOOLS))
PLACES = {"ui": FRONTEND, "nsfw-detector": AI, "adminer": TOOLS}
# What is said beside the arrows to a component, to the primary, and to Redis' master.
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


def diagram(facts: Facts) -> Diagram:
    """Which service calls which, and what the databases are made of."""
    sketch = Sketch("connectivity", "Service Connectivity and Data Flow", "LR", GROUPS)
    for component in facts.components:
        group = PLACES.get(component.name, BACKEND)
        sketch.node(component.id, _title(component), group, _style(component))
    if facts.postgres:
        sketch.node("PGCluster", ("PostgreSQL Cluster",), DATA, "data")
        _consists(sketch, facts.postgres, "PGCluster", POSTGRES)
    if facts.redis:
        sketch.node("RedisCluster", ("Redis Failover Cluster",), DATA, "data")
        _consists(sketch, facts.redis, "RedisCluster", REDIS)
    for source in facts.components:
        for target in facts.components:
            if source is not target:
                label = TO_COMPONENT.get(target.name, "")
                reasons = facts.between(source, target.party)
                sketch.arrow(
                    source.id, target.id, reasons, *calls(source, target.party), label=label
                )
        _to_postgres(sketch, facts, source)
        _to_redis(sketch, facts, source)
    _among_databases(sketch, facts)
    return sketch.done()


def _title(component: Component) -> Title:
    port = (f"Port: {component.port}",) if component.port else ()
    known: dict[str, Title] = {
        "ui": ("UI Container", "React App (built)", "Node.js + serve package", *port),
        "server": ("Server Container", "API Server", *port),
        "jobs": ("Jobs Container", "Background Processing"),
        "nsfw-detector": ("NSFW Detector", "Content Moderation"),
        "adminer": ("Adminer", "DB Admin Interface"),
        "rotator": ("Rotator", "Password Rotation"),
    }
    return known.get(component.name, (component.name, *port))


def _style(component: Component) -> str:
    return "files" if component.name == "adminer" else "service"


def _consists(
    sketch: Sketch, database: Database, node: str, titles: dict[str, tuple[str, str]]
) -> None:
    for name, (part_node, title) in titles.items():
        part = database.parts.get(name)
        if part:
            sketch.node(part_node, (title,), DATA, "data")
            way = Consists(database.kind, database.name, part.party)
            sketch.arrow(node, part_node, part.reasons, way)


def _to_postgres(sketch: Sketch, facts: Facts, component: Component) -> None:
    label = TO_PRIMARY.get(component.name, "SQL")
    outside = facts.outside(component, "PostgreSQL")
    if facts.postgres:
        pool, primary = (facts.postgres.parts.get(name) for name in ("pool", "primary"))
        through = facts.between(component, pool)
        if through and pool and primary:
            # The pool's pods stand between the two, and open connections of their own.
            ways = (*calls(component, pool), Calls(pool.party, primary.party))
            reasons = (*through, *pool.reasons)
            sketch.arrow(component.id, "PGPrimary", reasons, *ways, label=label)
        reasons = facts.between(component, primary)
        sketch.arrow(component.id, "PGPrimary", reasons, *calls(component, primary), label=label)
    elif outside:
        _outside(sketch, facts, component, "PGPrimary", outside, label)


def _to_redis(sketch: Sketch, facts: Facts, component: Component) -> None:
    outside = facts.outside(component, "Redis")
    if facts.redis:
        sentinel, master = (facts.redis.parts.get(name) for name in ("sentinel", "master"))
        # Clients find the master by asking Sentinel, so its address stands for both.
        also = sentinel.party.services if sentinel else ()
        for part, node, label in (
            (master, "RedisMaster", TO_MASTER),
            (sentinel, "RedisSentinel", TO_SENTINEL),
        ):
            reasons = facts.between(component, part, also)
            sketch.arrow(
                component.id,
                node,
                reasons,
                *calls(component, part),
                label=label,
                dashed=node == "RedisSentinel",
            )
    elif outside:
        _outside(sketch, facts, component, "RedisMaster", outside, TO_MASTER)


def _outside(
    sketch: Sketch, facts: Facts, component: Component, node: str, outside: Party, label: str
) -> None:
    sketch.node(node, (*outside.title.split(" at "), "outside the cluster"), DATA, "data")
    reasons = facts.between(component, outside)
    sketch.arrow(component.id, node, reasons, *calls(component, outside), label=label)


def _among_databases(sketch: Sketch, facts: Facts) -> None:
    """Replication and monitoring, which the operators' resources imply by their counts."""
    postgres = facts.postgres.parts if facts.postgres else {}
    redis = facts.redis.parts if facts.redis else {}
    # Who opens the connection is the second: replicas and Sentinels call, the data flow back.
    for source, target, label, opens, called in (
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
        if opens and called:
            way = Calls(opens.party, called.party)
            sketch.arrow(source, target, _both(opens, called), way, label=label, dashed=True)


def _both(first: Part, second: Part) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys((*first.reasons, *second.reasons)))
