"""When a VaultStaticSecret is ready, with and without the condition Ready."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.kube.snapshot import Snapshot
from vrooli.operators.vso import readiness

Body = dict[str, Any]
EMPTY = Snapshot(namespace="dev", objects={})
ERROR = "Failed to sync the secret, horizon=5.4s, err=Code: 403. permission denied"


def secret(*conditions: Body, generation: int = 1, **status: Any) -> Body:
    """A VaultStaticSecret; each condition is of its generation unless it says otherwise."""
    full = [{"observedGeneration": generation, **item} for item in conditions]
    return {
        "metadata": {"name": "creds", "generation": generation},
        "spec": {"destination": {"name": "creds"}},
        "status": {**status, **({"conditions": full} if conditions else {})},
    }


def ready(status: str, **fields: Any) -> Body:
    return {"type": "Ready", "status": status, "reason": "Ready", **fields}


def synced(status: str, message: str) -> Body:
    return {"type": "SecretSynced", "status": status, "reason": "Synced", "message": message}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (secret(), "the Secret creds is not synced from Vault yet"),
        (secret(secretMAC="x", lastGeneration=1), None),
        (
            secret(secretMAC="x", lastGeneration=1, generation=2),
            "the Secret creds is not synced again since its last change",
        ),
        (secret(ready("True"), secretMAC="x", lastGeneration=1), None),
        (
            secret(ready("False"), synced("False", ERROR), lastGeneration=1),
            "the Secret creds is not synced from Vault yet: Code: 403. permission denied",
        ),
        (
            secret(ready("False"), synced("False", ERROR), secretMAC="x", lastGeneration=1),
            "the Secret creds is not synced from Vault: Code: 403. permission denied",
        ),
        (
            secret(ready("False"), secretMAC="x", lastGeneration=1),
            "the Secret creds is not synced from Vault",
        ),
        (
            secret(
                ready("True", observedGeneration=1), secretMAC="x", lastGeneration=2, generation=2
            ),
            "the Secret creds is not synced again since its last change",
        ),
    ],
    ids=[
        "0.10 new",
        "0.10 synced",
        "0.10 changed",
        "1.3 ready",
        "1.3 new and refused",
        "1.3 synced once and refused",
        "1.3 without a reason",
        "1.3 changed",
    ],
)
def test_the_condition_ready_decides_where_it_exists(body: Body, reason: str | None) -> None:
    assert readiness.unready_reason(body, EMPTY) == reason
