"""A pod beside a release that writes to its databases without a pause: what it was promised."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.cluster import workload
from vrooli.errors import VrooliError
from vrooli.kube import Kube, Manifest
from vrooli.release import Release

NAME = "writer"
SECRETS = {"POSTGRES_SECRET": "vrooli-postgres-creds", "REDIS_SECRET": "vrooli-redis-creds"}
CLUSTER_LABEL = "postgres-operator.crunchydata.com/cluster"
POOL = {CLUSTER_LABEL: "vrooli-pg", "postgres-operator.crunchydata.com/role": "pgbouncer"}
REDIS = {"app.kubernetes.io/name": "vrooli-rf"}
READY_S = 120.0
# What is longer than a write takes on a busy machine, seconds: the store was away.
DELETED_S = 1.0
# How long, and how often, it is asked again what is there while a store doesn't answer, seconds.
VERIFY_S, VERIFY_EVERY_S = 40.0, 2.0


@dataclass(frozen=True)
class Written:
    """An attempt to write.

    Attributes:
        store: Where to: postgres or redis.
        at: When it ended, seconds since the epoch.
        error: What went wrong; empty when it was acknowledged.
    """

    store: str
    at: float
    error: str


@dataclass(frozen=True)
class Outage:
    """What a store's writer saw between two moments.

    Attributes:
        failed: Attempts that failed.
        longest_s: The longest time without an acknowledged write, seconds.
    """

    failed: int
    longest_s: float


class Writer:
    """The pod, once it writes."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace

    async def written(self) -> list[Written]:
        """Every attempt so far, in the order in which they ended."""
        lines = (await self._run("cat", "/data/notes")).splitlines()
        records = [json.loads(line) for line in lines]
        return [Written(record["store"], record["at"], record["error"]) for record in records]

    async def lost(self) -> dict[str, list[int]]:
        """The numbers of durable writes that are missing, by store."""
        result = json.loads(await self._verified())
        assert all(store["durable"] for store in result.values()), result
        return {name: store["lost"] for name, store in result.items()}

    async def _verified(self) -> str:
        """What the writer finds; a pool that has just lost its server is asked again."""
        deadline = time.monotonic() + VERIFY_S
        while True:
            try:
                return await self._run("python3", "/script/writer.py", "verify")
            except VrooliError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(VERIFY_EVERY_S)

    async def logs_in(self, user: str, password: str) -> bool | None:
        """Whether PostgreSQL accepts a password through pgBouncer; None if unknown."""
        output = await self._run("python3", "/script/writer.py", "login", user, password)
        if "authentication failed" in output:
            return False
        return True if output.strip() == "accepted" else None

    async def _run(self, *argv: str) -> str:
        return await self._kube.exec(self._namespace, NAME, argv, NAME)


def between(written: list[Written], store: str, began: float, ended: float) -> Outage:
    """What the store's writer saw between two moments, and until its next acknowledged write."""
    mine = [item for item in written if item.store == store]
    failed = sum(bool(item.error) and began <= item.at <= ended for item in mine)
    acknowledged = [item.at for item in mine if not item.error]
    gaps = [
        after - before
        for before, after in pairwise([*acknowledged, max(ended, acknowledged[-1])])
        if after >= began and before <= ended
    ]
    return Outage(failed, round(max(gaps, default=0.0), 1))


@asynccontextmanager
async def writing(kube: Kube, release: Release, image: str) -> AsyncIterator[Writer]:
    """A writer for the length of the block; it goes with its namespace."""
    replicas = await _redis_replicas(kube, release)
    for body in _objects(release, image, replicas):
        await kube.apply(body, namespace=release.namespace)
    await workload.wait_for_pod(kube, NAME, READY_S, namespace=release.namespace)
    yield Writer(kube, release.namespace)


async def _redis_replicas(kube: Kube, release: Release) -> int:
    """The number of replicas beside Redis' master."""
    (failover,) = await kube.list("databases.spotahome.com/v1", "RedisFailover", release.namespace)
    return int(failover["spec"]["redis"]["replicas"]) - 1


def _objects(release: Release, image: str, redis_replicas: int) -> list[Manifest]:
    """The pod, what it runs, whom it may ask for passwords, and the ways that are opened to it."""
    meta = {"name": NAME}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    script = Path(__file__).with_name("writer.py").read_text()
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": meta,
            "rules": [{**rule, "resourceNames": list(SECRETS.values())}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": release.namespace}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": {"writer.py": script},
        },
        _egress("pool", POOL, 5432),
        _egress("redis", REDIS, 6379, 26379),
        _pod(release, image, {**SECRETS, "REDIS_REPLICAS": str(redis_replicas)}),
    ]


def _egress(name: str, to: dict[str, str], *ports: int) -> Manifest:
    """A network policy that opens some pods' ports to the writer."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{NAME}-{name}"},
        "spec": {
            "podSelector": {"matchLabels": to},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app": NAME}}}],
                    "ports": [{"protocol": "TCP", "port": port} for port in ports],
                }
            ],
        },
    }


def _pod(release: Release, image: str, environment: dict[str, str]) -> Manifest:
    connections = {"configMapRef": {"name": f"{release.name}-connections"}}
    container: dict[str, Any] = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "/script/writer.py"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "envFrom": [connections],
        "securityContext": workload.RESTRICTED,
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "192Mi"}},
        "volumeMounts": [
            {"name": "script", "mountPath": "/script"},
            {"name": "data", "mountPath": "/data"},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": {"app": NAME}},
        "spec": {
            "serviceAccountName": NAME,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "terminationGracePeriodSeconds": 1,
            "volumes": [
                {"name": "script", "configMap": {"name": NAME}},
                {"name": "data", "emptyDir": {}},
            ],
        },
    }
