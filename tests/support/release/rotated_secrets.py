"""A fake release whose secrets come from Vault through the rotator."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from vrooli.kube.common_labels import COMPONENT, INSTANCE
from vrooli.vault.errors import VaultConflictError

Body = dict[str, Any]
NAME, PLACE = "vrooli-dev", "dev"


def secret(name: str, data: Mapping[str, str]) -> Body:
    """A Secret."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": name}, "data": encoded}


def sync(name: str, path: str, destination: str) -> Body:
    """A VaultStaticSecret of the release."""
    annotations = {"meta.helm.sh/release-name": NAME}
    return {
        "kind": "VaultStaticSecret",
        "metadata": {"name": f"{NAME}-{name}", "annotations": annotations},
        "spec": {
            "type": "kv-v2",
            "mount": "secret",
            "path": path,
            "vaultAuthRef": f"{NAME}-vault",
            "destination": {"name": destination},
        },
    }


POSTGRES_SYNC = sync("postgres", "vrooli/secrets/postgres", "vrooli-postgres-creds-vault")
REDIS_SYNC = sync("redis", "vrooli/secrets/redis", "vrooli-redis-creds-vault")
SHARED_SYNC = sync(
    "shared-secrets-server-jobs",
    "vrooli/secrets/shared-server-jobs",
    "vrooli-secrets-shared-server-jobs",
)
DOCKERHUB_SYNC = sync(
    "dockerhub-pull-secret",
    "vrooli/dockerhub/pull-credentials",
    "vrooli-dockerhub-pull-secret",
)


def deployment(name: str, container: Body, *, ready: bool = True) -> Body:
    """A Deployment of one container."""
    ready_count = 1 if ready else 0
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "generation": 1},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [container]}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": ready_count,
            "availableReplicas": ready_count,
        },
    }


def rotator(*, ready: bool = True, name: str = f"{NAME}-rotator") -> Body:
    """The rotator of both databases."""
    settings = {
        "POSTGRES_SOURCE": "vrooli-postgres-creds-vault",
        "REDIS_SOURCE": "vrooli-redis-creds-vault",
        "STATE_SECRET": f"{NAME}-rotation",
    }
    environment = [{"name": key, "value": value} for key, value in settings.items()]
    container = {"name": "rotator", "env": environment}
    return labeled(deployment(name, container, ready=ready))


def labeled(workload: Body) -> Body:
    """A workload with the labels of the release's rotator."""
    workload["metadata"]["labels"] = {INSTANCE: NAME, COMPONENT: "rotator"}
    return workload


class FakeVault:
    """One secret of Vault in memory, with its version; any other path fails."""

    def __init__(self, path: str, values: Mapping[str, str], version: int = 1) -> None:
        self.path, self.values, self.version = path, dict(values), version
        self.allowed = frozenset({"create", "read", "update"})
        self.address = "https://vault"

    async def read_version(self, mount: str, path: str) -> tuple[dict[str, str], int] | None:
        assert mount == "secret"
        return (dict(self.values), self.version) if path == self.path else None

    async def write_version(
        self, mount: str, path: str, values: Mapping[str, str], read_version: int
    ) -> int:
        assert (mount, path) == ("secret", self.path)
        if read_version != self.version:
            raise VaultConflictError("changed")
        self.values, self.version = dict(values), self.version + 1
        return self.version

    async def capabilities(self, paths: list[str]) -> dict[str, frozenset[str]]:
        return dict.fromkeys(paths, self.allowed)

    async def check_ready(self) -> None: ...

    def close(self) -> None: ...
