"""The objects of the writer: its pod, its program, its rights and the ways that are opened to it.

No I/O here except for reading the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from vrooli.kube import Manifest
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis
from vrooli.secrets import catalog
from vrooli.secrets.names import Names

NAME = "vrooli-drill-writer"
# The label of each object, by which the next drill finds what a killed one has left.
LABELS = {"app": NAME}
KINDS = (
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ConfigMap"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "Pod"),
)
# The table of the program.
TABLE = "vrooli.drill_writes"
PROGRAM, NOTES = "/script/writer.py", "/data/notes"
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class WriterPlan:
    """What a writer needs of a release.

    Attributes:
        namespace: The namespace of the release.
        connections: The ConfigMap with the addresses of its databases.
        image: An image with Python and the clients of both databases.
        pull_secrets: The names of the Secrets with which the image is pulled.
        limit_s: The pod is ended after this time, even if nobody removes it, seconds.
        names: The names of its Secrets, two of which have the logins of the application.
    """

    namespace: str
    connections: str
    image: str
    pull_secrets: tuple[str, ...]
    limit_s: float
    names: Names = field(default_factory=Names)

    @property
    def secrets(self) -> dict[str, str]:
        """The Secrets with the logins, by the writer's variable with the name."""
        secrets = self.names.secrets
        return {
            "POSTGRES_SECRET": secrets[catalog.POSTGRES],
            "REDIS_SECRET": secrets[catalog.REDIS],
        }


def pool_policy(cluster: str) -> Manifest:
    """Opens the pool of a PostgresCluster to the writer."""
    return _policy("pool", {pgo.CLUSTER_LABEL: cluster, pgo.ROLE_LABEL: "pgbouncer"}, 5432)


def redis_policy(name: str) -> Manifest:
    """Opens Redis and its Sentinels to the writer."""
    return _policy("redis", {redis.FAILOVER_LABEL: name}, 6379, 26379)


def objects(plan: WriterPlan, opened: Mapping[str, Manifest], replicas: int) -> list[Manifest]:
    """All objects, in the order in which they are created.

    Args:
        plan: What it needs.
        opened: The network policies, by the database that they open.
        replicas: The replicas beside Redis' master.
    """
    metadata = {"name": NAME, "labels": LABELS}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": plan.namespace}
    program = files("vrooli.drills").joinpath("writer_program.py").read_text()
    environment = {**plan.secrets, "STORES": ",".join(opened), "REDIS_REPLICAS": str(replicas)}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [{**rule, "resourceNames": list(plan.secrets.values())}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"writer.py": program},
        },
        *opened.values(),
        _pod(plan, environment),
    ]


def _policy(name: str, pods: Mapping[str, str], *ports: int) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{NAME}-{name}", "labels": LABELS},
        "spec": {
            "podSelector": {"matchLabels": dict(pods)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": LABELS}}],
                    "ports": [{"protocol": "TCP", "port": port} for port in ports],
                }
            ],
        },
    }


def _pod(plan: WriterPlan, environment: Mapping[str, str]) -> Manifest:
    container: dict[str, Any] = {
        "name": NAME,
        "image": plan.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", PROGRAM],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "envFrom": [{"configMapRef": {"name": plan.connections}}],
        "securityContext": _RESTRICTED,
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "192Mi"}},
        "volumeMounts": [
            {"name": "script", "mountPath": "/script"},
            {"name": "data", "mountPath": "/data"},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {
            "serviceAccountName": NAME,
            "activeDeadlineSeconds": int(plan.limit_s),
            "restartPolicy": "OnFailure",
            "imagePullSecrets": [{"name": name} for name in plan.pull_secrets],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "terminationGracePeriodSeconds": 1,
            "volumes": [
                {"name": "script", "configMap": {"name": NAME}},
                {"name": "data", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        },
    }
