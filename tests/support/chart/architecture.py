"""Who speaks with whom: the architecture's arrows, what keeps it running, and everybody else."""

from __future__ import annotations

from itertools import product

from support.chart.network_policies import Peer

HERE = "somewhere"
RELEASE = "demo"
CLUSTER = "postgres-operator.crunchydata.com/cluster"
ROLE = "postgres-operator.crunchydata.com/role"
COMPONENT = "app.kubernetes.io/component"


def own(component: str, release: str = RELEASE) -> Peer:
    """A pod of the application, or of its tests."""
    return Peer(
        HERE,
        {
            "app.kubernetes.io/name": "vrooli",
            "app.kubernetes.io/instance": release,
            COMPONENT: component,
        },
    )


def postgres(role: str) -> Peer:
    """A pod that PGO made."""
    return Peer(HERE, {CLUSTER: "vrooli-pg", ROLE: role} if role else {CLUSTER: "vrooli-pg"})


def redis(component: str) -> Peer:
    """A pod that the Redis operator made."""
    return Peer(HERE, {"app.kubernetes.io/name": "vrooli-rf", COMPONENT: component})


APPLICATION = ("ui", "server", "jobs", "nsfw-detector", "adminer", "rotator", "test")
POSTGRES = ("pool", "primary", "replica", "backups")
REDIS = ("redis", "sentinel")
# Those that policies select: nothing reaches them, and they reach nothing, that isn't named.
BOUND = (*APPLICATION, *POSTGRES, *REDIS)
PEERS: dict[str, Peer] = {
    **{name: own(name) for name in APPLICATION},
    "pool": postgres("pgbouncer"),
    "primary": postgres("master"),
    "replica": postgres("replica"),
    "backups": postgres(""),
    "redis": redis("redis"),
    "sentinel": redis("sentinel"),
    "ingress": Peer("ingress-nginx"),
    "redis-operator": Peer("redis-operator"),
    "prometheus": Peer("monitoring"),
    "dns": Peer("kube-system"),
    "api": Peer("", address="10.96.0.1"),
    "stranger": Peer(HERE, {"app": "other"}),
    "far stranger": Peer("elsewhere", {COMPONENT: "server"}),
    "other release": own("server", release="other"),
}
# Where each listens.
PORTS: dict[str, tuple[int, ...]] = {
    "ui": (3000,),
    "server": (5329,),
    "jobs": (4001,),
    "nsfw-detector": (8000,),
    "adminer": (8080,),
    "rotator": (8080,),
    "pool": (5432,),
    "primary": (5432, 8008, 8432, 9187),
    "replica": (5432, 8008, 8432, 9187),
    "backups": (8432,),
    "redis": (6379, 9121),
    "sentinel": (26379, 9355),
    "dns": (53,),
    "api": (443, 6443),
    "stranger": (8080,),
}
# The diagrams' arrows.
ARROWS = {
    ("ingress", "ui", 3000),
    ("ingress", "server", 5329),
    ("ui", "server", 5329),
    ("server", "pool", 5432),
    ("server", "redis", 6379),
    ("server", "sentinel", 26379),
    ("jobs", "pool", 5432),
    ("jobs", "redis", 6379),
    ("jobs", "sentinel", 26379),
    ("jobs", "nsfw-detector", 8000),
    ("adminer", "primary", 5432),
}
# What tests, operators, names and the databases among themselves need.
UPKEEP = {
    *(("test", name, PORTS[name][0]) for name in ("ui", "server", "jobs", "nsfw-detector")),
    *(("redis-operator", name, PORTS[name][0]) for name in REDIS),
    *((a, b, port) for a, b in product(POSTGRES, POSTGRES) for port in PORTS[b]),
    *((a, b, PORTS[b][0]) for a, b in product(REDIS, REDIS)),
    *((name, "api", port) for name in (*POSTGRES, "rotator") for port in PORTS["api"]),
    *(("rotator", name, PORTS[name][0]) for name in ("pool", *REDIS)),
    *((name, "dns", 53) for name in BOUND),
}
# What Prometheus needs, if there is one.
METRICS = {
    *(("prometheus", name, 9187) for name in ("primary", "replica")),
    ("prometheus", "server", 5329),
    ("prometheus", "jobs", 4001),
    ("prometheus", "redis", 9121),
    ("prometheus", "sentinel", 9355),
}
# Every connection that policies decide. What no policy selects may speak with its like, of course.
PAIRS = [
    (source, target, port)
    for source, target in product(PEERS, PORTS)
    if (source in BOUND or target in BOUND) and (source != target or source in POSTGRES + REDIS)
    for port in PORTS[target]
]
