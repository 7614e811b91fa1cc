"""What the API server encrypts in etcd and what it writes to the audit log. No I/O, but one key."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

from vrooli.files import write_atomically

KEY_BYTES = 32  # of secretbox, XSalsa20 and Poly1305
WRITES = ["create", "update", "patch", "delete", "deletecollection"]
HEALTH = ["/healthz*", "/livez*", "/readyz*", "/version", "/metrics*", "/openapi*"]

ENCRYPTION_KEY = "encryption.key"


def ensure_encryption_key(pki: Path) -> None:
    """Create the key of the Secrets and ConfigMaps in etcd once: without it they are lost."""
    path = pki / ENCRYPTION_KEY
    if not path.exists():
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        write_atomically(path, key, mode=0o600)


def encryption(key: str) -> dict[str, Any]:
    """The encryption of Secrets and ConfigMaps in etcd: the Redis operator's hold its password.

    The first provider encrypts. ``identity`` reads the objects of clusters of an older version,
    which are encrypted when they are written next.
    """
    providers: list[dict[str, Any]] = [
        {"secretbox": {"keys": [{"name": "local", "secret": key}]}},
        {"identity": {}},
    ]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets", "configmaps"], "providers": providers}],
    }


def audit_policy() -> dict[str, Any]:
    """The requests to log: who, what and when, but no content, which may hold secrets.

    Reads other than those of Secrets are omitted, as are those of a running cluster itself.
    """
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": HEALTH},
            {
                "level": "None",
                "resources": [
                    _resources("coordination.k8s.io", "leases"),
                    _resources("", "events"),
                    _resources("events.k8s.io", "events"),
                ],
            },
            {
                "level": "None",
                "userGroups": ["system:nodes"],
                "resources": [_resources("", "pods/status", "nodes/status")],
            },
            {
                "level": "Metadata",
                "resources": [
                    _resources("", "secrets", "serviceaccounts/token"),
                    _resources("authentication.k8s.io", "tokenreviews"),
                    _resources("", "pods/exec", "pods/attach", "pods/portforward", "pods/proxy"),
                    _resources("", "services/proxy", "nodes/proxy"),
                ],
            },
            {"level": "Metadata", "verbs": WRITES},
            {"level": "None"},
        ],
    }


def _resources(group: str, *names: str) -> dict[str, Any]:
    return {"group": group, "resources": list(names)}
