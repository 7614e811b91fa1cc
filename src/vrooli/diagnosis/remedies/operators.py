"""Workloads that an operator makes: what is changed at them it puts back. No I/O here.

Whoever changes them changes the operator's resource, and the values that it is deployed from.
"""

from __future__ import annotations

import json
import shlex

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, Ref, dig, items, labels, text
from vrooli.release.rollout.readiness import PGO, REDIS_NAME

# The resources, each with the label of its pods that names it.
KINDS = {"RedisFailover": REDIS_NAME, "PostgresCluster": f"{PGO}/cluster"}
# Where a container's limits stand: in the resource, and in the values.
PLACES = {
    ("RedisFailover", "redis"): ("spec/redis", "spotahomeRedis.redis"),
    ("RedisFailover", "sentinel"): ("spec/sentinel", "spotahomeRedis.sentinel"),
    ("PostgresCluster", "database"): ("spec/instances/{instance}", "pgoPostgresql"),
    ("PostgresCluster", "pgbouncer"): ("spec/proxy/pgBouncer", "pgoPostgresql.pgBouncer"),
}


def resource(seen: Evidence, workload: Ref) -> Ref | None:
    """What an operator makes a workload from; None where no operator does."""
    pods = seen.pods_of(workload)
    for body in filter(None, (seen.get(workload), *pods)):
        for owner in items(body, "metadata", "ownerReferences"):
            if text(owner, "kind") in KINDS:
                return Ref(text(owner, "kind"), text(owner, "name"), workload.namespace)
    named = ((kind, text(labels(pod), label)) for pod in pods for kind, label in KINDS.items())
    return next((Ref(kind, name, workload.namespace) for kind, name in named if name), None)


def values(keeper: Ref, container: str) -> str:
    """The values that a container's limits come from, in words."""
    _, name = PLACES.get((keeper.kind, container), ("", ""))
    root = "spotahomeRedis" if keeper.kind == "RedisFailover" else "pgoPostgresql"
    return f"{name or f'{root}.*'}.resources.limits.memory"


def memory(seen: Evidence, keeper: Ref, pod: Body, container: str, amount: str) -> str:
    """The command that gives a container of an operator's so much memory; a look if none can."""
    place, _ = PLACES.get((keeper.kind, container), ("", ""))
    path = f"{place.format(instance=_instance(seen, keeper, pod))}/resources/limits"
    body = seen.get(keeper)
    if not place or not isinstance(_at(body, path), dict):
        return f"kubectl describe {keeper.words}"
    change = [{"op": "add", "path": f"/{path}/memory", "value": amount}]
    return f"kubectl patch {keeper.words} --type=json -p {shlex.quote(json.dumps(change))}"


def _instance(seen: Evidence, keeper: Ref, pod: Body) -> int:
    """Which of a cluster's sets of instances a pod is of."""
    name = text(labels(pod), f"{PGO}/instance-set")
    sets = [text(item, "name") for item in items(seen.get(keeper), "spec", "instances")]
    return sets.index(name) if name in sets else 0


def _at(body: Body | None, path: str) -> object:
    found: object = body
    for key in path.split("/"):
        if isinstance(found, list) and key.isdigit():
            found = found[int(key)] if int(key) < len(found) else None
        else:
            found = dig(found, key)
    return found
