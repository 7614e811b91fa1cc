"""Workloads of an operator, whose changes the operator reverts. No I/O here.

To change them, change the operator's resource and the values.
"""

from __future__ import annotations

import json

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, Ref, dig, items, labels, text
from vrooli.operators.catalog import databases
from vrooli.operators.pgo.names import INSTANCE_SET_LABEL

# The resources, each with the pod label that has its name.
KINDS = {kind: resource.pod_label for kind, resource in databases().items()}
# The location of a container's limits in the resource and in the values.
PLACES = {
    ("RedisFailover", "redis"): ("spec/redis", "spotahomeRedis.redis"),
    ("RedisFailover", "sentinel"): ("spec/sentinel", "spotahomeRedis.sentinel"),
    ("PostgresCluster", "database"): ("spec/instances/{instance}", "pgoPostgresql"),
    ("PostgresCluster", "pgbouncer"): ("spec/proxy/pgBouncer", "pgoPostgresql.pgBouncer"),
}


def resource(evidence: Evidence, workload: Ref) -> Ref | None:
    """The operator's resource of a workload; None if it has none."""
    pods = evidence.pods_of(workload)
    for body in filter(None, (evidence.get(workload), *pods)):
        for owner in items(body, "metadata", "ownerReferences"):
            if text(owner, "kind") in KINDS:
                return Ref(text(owner, "kind"), text(owner, "name"), workload.namespace)
    named = ((kind, text(labels(pod), label)) for pod in pods for kind, label in KINDS.items())
    return next((Ref(kind, name, workload.namespace) for kind, name in named if name), None)


def values(resource_ref: Ref, container: str) -> str:
    """The value that sets a container's memory limit."""
    _, name = PLACES.get((resource_ref.kind, container), ("", ""))
    root = "spotahomeRedis" if resource_ref.kind == "RedisFailover" else "pgoPostgresql"
    return f"{name or f'{root}.*'}.resources.limits.memory"


def memory(evidence: Evidence, resource_ref: Ref, pod: Body, container: str, amount: str) -> str:
    """The command that sets the memory limit of an operator's container, or describes it."""
    place, _ = PLACES.get((resource_ref.kind, container), ("", ""))
    path = f"{place.format(instance=_instance(evidence, resource_ref, pod))}/resources/limits"
    body = evidence.get(resource_ref)
    if not place or not isinstance(_at(body, path), dict):
        return f"kubectl describe {resource_ref.words}"
    change = [{"op": "add", "path": f"/{path}/memory", "value": amount}]
    return f"kubectl patch {resource_ref.words} --type=json -p {shell.quote(json.dumps(change))}"


def _instance(evidence: Evidence, resource_ref: Ref, pod: Body) -> int:
    """The index of a pod's instance set in its cluster."""
    name = text(labels(pod), INSTANCE_SET_LABEL)
    sets = [text(item, "name") for item in items(evidence.get(resource_ref), "spec", "instances")]
    return sets.index(name) if name in sets else 0


def _at(body: Body | None, path: str) -> object:
    value: object = body
    for key in path.split("/"):
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = dig(value, key)
    return value
