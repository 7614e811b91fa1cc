"""Workloads that an operator makes: what is printed changes its resource, never its pods."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, diagnosed, evidence, operators, pod, with_objects
from vrooli.diagnosis.remedies.kubectl import rollback_command
from vrooli.findings import Finding
from vrooli.kube.objects import Ref
from vrooli.operators.pgo.names import CLUSTER_LABEL, INSTANCE_SET_LABEL
from vrooli.operators.redis.names import FAILOVER_LABEL

LIMITS = {"limits": {"memory": "256Mi"}}
PGO = "postgres-operator.crunchydata.com"
REDIS = {
    "kind": "RedisFailover",
    "metadata": {"name": "vrooli-rf", "namespace": "dev"},
    "spec": {"redis": {"resources": LIMITS}, "sentinel": {"resources": LIMITS}},
}
POSTGRES = {
    "kind": "PostgresCluster",
    "metadata": {"name": "vrooli-pg", "namespace": "dev"},
    "spec": {
        "instances": [{"name": "first", "resources": {}}, {"name": "main", "resources": LIMITS}],
        "proxy": {"pgBouncer": {"resources": LIMITS}},
    },
}


def killed(workload: Ref, container: str, labels: dict[str, str]) -> dict[str, Any]:
    """A pod whose container was killed for its memory."""
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": NOW.isoformat()}
    owner = (workload.kind, workload.name)
    if workload.kind == "Deployment":
        labels, owner = {**labels, "pod-template-hash": "v1"}, ("ReplicaSet", f"{workload.name}-v1")
    return pod(
        f"{workload.name}-0",
        owner=owner,
        labels=labels,
        ready=False,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "x"}},
        last={"terminated": ended},
        restarts=3,
        container=container,
        spec={"containers": [{"name": container, "resources": LIMITS}]},
    )


def made(workload: Ref, by: dict[str, Any]) -> dict[str, Any]:
    """The workload as its operator makes it."""
    owners = [{"kind": by["kind"], "name": by["metadata"]["name"]}]
    metadata = {"name": workload.name, "namespace": "dev", "ownerReferences": owners}
    return {"kind": workload.kind, "metadata": metadata, "spec": {"replicas": 1}}


def named(*bodies: dict[str, Any]) -> Finding:
    """The only cause."""
    (cause,) = diagnosed(evidence(*bodies, *operators())).causes
    return cause.finding


INSTANCE = {CLUSTER_LABEL: "vrooli-pg", INSTANCE_SET_LABEL: "main"}


@pytest.mark.parametrize(
    ("workload", "container", "labels", "by", "path", "values"),
    [
        (
            Ref("StatefulSet", "rfr-vrooli-rf", "dev"),
            "redis",
            {FAILOVER_LABEL: "vrooli-rf"},
            REDIS,
            "/spec/redis",
            "spotahomeRedis.redis.",
        ),
        (
            Ref("Deployment", "rfs-vrooli-rf", "dev"),
            "sentinel",
            {FAILOVER_LABEL: "vrooli-rf"},
            REDIS,
            "/spec/sentinel",
            "spotahomeRedis.sentinel.",
        ),
        (
            Ref("StatefulSet", "vrooli-pg-main-x", "dev"),
            "database",
            INSTANCE,
            POSTGRES,
            "/spec/instances/1",
            "pgoPostgresql.resources.",
        ),
        (
            Ref("Deployment", "vrooli-pg-pgbouncer", "dev"),
            "pgbouncer",
            {CLUSTER_LABEL: "vrooli-pg"},
            POSTGRES,
            "/spec/proxy/pgBouncer",
            "pgoPostgresql.pgBouncer.",
        ),
    ],
)
def test_memory_is_given_where_the_operator_reads_it(
    workload: Ref,
    container: str,
    labels: dict[str, str],
    by: dict[str, Any],
    path: str,
    values: str,
) -> None:
    for body in ([made(workload, by)], []):
        finding = named(by, *body, killed(workload, container, labels))
        words = shlex.split(finding.command)
        target = f"{by['kind'].lower()}/{by['metadata']['name']}"
        assert words[:-1] == ["kubectl", "patch", target, "-n", "dev", "--type=json", "-p"]
        (change,) = json.loads(words[-1])
        assert change == {"op": "add", "path": f"{path}/resources/limits/memory", "value": "512Mi"}
        assert values in finding.remediation


def test_of_a_helper_container_the_resource_is_shown() -> None:
    workload = Ref("StatefulSet", "vrooli-pg-main-x", "dev")
    finding = named(POSTGRES, made(workload, POSTGRES), killed(workload, "pgbackrest", INSTANCE))
    assert finding.command == "kubectl describe postgrescluster/vrooli-pg -n dev"


def test_there_is_no_way_back_that_the_operator_undoes() -> None:
    workload = Ref("Deployment", "vrooli-pg-pgbouncer", "dev")
    owners = [{"kind": "Deployment", "name": workload.name}]
    sets = [
        {
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{workload.name}-{number}",
                "namespace": "dev",
                "ownerReferences": owners,
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
            },
            "spec": {"replicas": 1},
            "status": {"readyReplicas": 2 - number},
        }
        for number in (1, 2)
    ]
    seen = evidence(*sets)
    assert rollback_command(seen, workload).startswith("kubectl rollout undo")
    seen = with_objects(seen, POSTGRES, made(workload, POSTGRES))
    assert rollback_command(seen, workload) == "kubectl describe postgrescluster/vrooli-pg -n dev"
    assert rollback_command(seen, workload, "kubectl logs x") == "kubectl logs x"
