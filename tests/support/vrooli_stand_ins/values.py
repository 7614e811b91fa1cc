"""Values that run the stand-ins with k8s/chart/values-vrooli.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Mount and path of the key pairs: a secret that no other release of the tests reads.
KEYS = ("secret", "vrooli/staging/secrets/shared-server-jobs")
KEYS_POLICY = "vrooli-staging-secrets-shared-server-jobs-read-policy"
FOLDER = Path(__file__).parent
PYTHON = ("python3", "-c")
# The keys that Vault has; the stand-ins only test that they are there.
SECRETS = ("JWT_PRIV", "JWT_PUB", "VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY")


def program(name: str) -> list[str]:
    """The command that runs a stand-in."""
    return [*PYTHON, (FOLDER / f"{name}.py").read_text(encoding="utf-8")]


def stand_in_values(**migration: str) -> dict[str, Any]:
    """Values over those of Vrooli's images.

    Args:
        migration: Variables of the migration, such as FAIL_MIGRATION.
    """
    return {
        "replicaCount": {"server": 3},
        "services": {
            "ui": {"enabled": False},
            "jobs": {"pod": {"command": program("jobs")}},
            "adminer": {"enabled": False},
            "nsfwDetector": {"enabled": True},
            "server": {
                "extraEnv": migration,
                "pod": {
                    "command": program("server"),
                    "initContainers": {"migrate": {"command": program("migration")}},
                },
                "probes": {"startup": {"periodSeconds": 2, "failureThreshold": 90}},
            },
        },
        "migration": {"command": program("migration"), "timeoutSeconds": 60, "retries": 0},
        "spotahomeRedis": {"redis": {"replicas": 2}, "sentinel": {"replicas": 3}},
        "ingress": {"enabled": False},
        "vso": {"secrets": {"sharedSecretsServerJobs": {"vaultPath": f"{KEYS[0]}/data/{KEYS[1]}"}}},
    }
