"""What each operator must be able to do, and the least object of its kind. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.checks.cluster.api_resources import INSTALL
from vrooli.kube import Manifest
from vrooli.operators import POSTGRES, REDIS, VAULT_SECRETS, Operator

NAME = "vrooli-check"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}

# Verbs, version and kind, part of the object.
Right = tuple[tuple[str, ...], str, str, str]
FOLLOW = ("get", "list", "watch")
MAKE = ("create", "delete")


@dataclass(frozen=True)
class OperatorNeeds:
    """What is asked of one operator.

    Attributes:
        operator: The operator.
        kinds: The kinds that it serves, with their version.
        rights: What its service account must be allowed.
        sample: The least object of its kind.
        install: The command that installs it.
    """

    operator: Operator
    kinds: tuple[tuple[str, str], ...]
    rights: tuple[Right, ...]
    sample: Mapping[str, Any]
    install: str = INSTALL

    def unobserved(self, item: Manifest) -> bool:
        """Whether the operator has not yet looked at an object as it is now."""
        generation = int(item["metadata"].get("generation", 0))
        status = item.get("status") or {}
        seen = status.get("observedGeneration", status.get("lastGeneration"))
        # RedisFailover has no status: nothing can be said of it here.
        return seen is not None and int(seen) < generation


def _sample(api_version: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": NAME}, "spec": dict(spec)}


PGO_API = "postgres-operator.crunchydata.com/v1beta1"
REDIS_API = "databases.spotahome.com/v1"
VSO_API = "secrets.hashicorp.com/v1beta1"

ALL = (
    OperatorNeeds(
        POSTGRES,
        ((PGO_API, "PostgresCluster"),),
        (
            (FOLLOW, PGO_API, "PostgresCluster", ""),
            (("patch",), PGO_API, "PostgresCluster", "status"),
            (MAKE, "apps/v1", "StatefulSet", ""),
            (MAKE, "apps/v1", "Deployment", ""),
            (("create",), "batch/v1", "Job", ""),
            *((("create",), "v1", kind, "") for kind in ("Secret", "Service", "ConfigMap")),
            (("create",), "v1", "PersistentVolumeClaim", ""),
            (("create",), "v1", "Pod", "exec"),
        ),
        _sample(
            PGO_API,
            "PostgresCluster",
            {
                "postgresVersion": 15,
                "instances": [{"name": "one", "replicas": 1, "dataVolumeClaimSpec": CLAIM}],
                "backups": {
                    "pgbackrest": {
                        "repos": [{"name": "repo1", "volume": {"volumeClaimSpec": CLAIM}}]
                    }
                },
            },
        ),
    ),
    OperatorNeeds(
        REDIS,
        ((REDIS_API, "RedisFailover"),),
        (
            (FOLLOW, REDIS_API, "RedisFailover", ""),
            (MAKE, "apps/v1", "StatefulSet", ""),
            (MAKE, "apps/v1", "Deployment", ""),
            (("create",), "v1", "Service", ""),
            (("create",), "v1", "ConfigMap", ""),
            (("get",), "v1", "Secret", ""),
            (("list", "update"), "v1", "Pod", ""),
        ),
        _sample(
            REDIS_API, "RedisFailover", {"redis": {"replicas": 1}, "sentinel": {"replicas": 1}}
        ),
    ),
    OperatorNeeds(
        VAULT_SECRETS,
        tuple((VSO_API, kind) for kind in ("VaultConnection", "VaultAuth", "VaultStaticSecret")),
        (
            (FOLLOW, VSO_API, "VaultStaticSecret", ""),
            (FOLLOW, VSO_API, "VaultAuth", ""),
            (FOLLOW, VSO_API, "VaultConnection", ""),
            (("update",), VSO_API, "VaultStaticSecret", "status"),
            (("get", "create", "update"), "v1", "Secret", ""),
            (("get",), "v1", "ServiceAccount", ""),
            (("create",), "v1", "ServiceAccount", "token"),
            (("patch",), "apps/v1", "Deployment", ""),
        ),
        _sample(
            VSO_API,
            "VaultStaticSecret",
            {
                "vaultAuthRef": NAME,
                "mount": "secret",
                "type": "kv-v2",
                "path": NAME,
                "destination": {"name": NAME, "create": True},
            },
        ),
    ),
)
