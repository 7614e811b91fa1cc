"""The rule secret-stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, found, pod_of, with_objects
from support.diagnosis.healthy_release import healthy
from vrooli.diagnosis.evidence.collection import secrets
from vrooli.diagnosis.evidence.model import Evidence, SecretFacts
from vrooli.diagnosis.rules.release import stale_secret
from vrooli.kube.objects import Ref

SERVER = "vrooli-dev-server"
SECRET = Ref("Secret", "vrooli-secrets-shared-server-jobs", "dev")
CHANGED = NOW - timedelta(minutes=10)


def _evidence(
    started: datetime, *, changed: datetime | None = CHANGED, created_s: float = 3600.0
) -> Evidence:
    """A pod of the server, and the Secret that it reads."""
    body = pod_of(SERVER, state={"running": {"startedAt": started.isoformat()}})
    created = (NOW - timedelta(seconds=created_s)).isoformat()
    secret = {
        "kind": "Secret",
        "metadata": {
            "name": SECRET.name,
            "namespace": SECRET.namespace,
            "creationTimestamp": created,
        },
    }
    seen = with_objects(healthy(), body, secret)
    return replace(seen, secrets={SECRET: SecretFacts(changed=changed)})


@pytest.mark.parametrize("early_s", [3000.0, 1.0, 0.0])
def test_a_pod_that_started_before_the_change_is_named_with_secret_and_restart(
    early_s: float,
) -> None:
    """In the same second, the pod may have either value."""
    seen = _evidence(CHANGED - timedelta(seconds=early_s))
    (symptom,) = stale_secret.RULE.find(seen)
    assert str(symptom.resource) == f"Deployment/{SERVER}"
    assert str(SECRET) in symptom.message
    assert symptom.command == f"kubectl rollout restart deployment/{SERVER} -n dev"


@pytest.mark.parametrize(
    "seen",
    [
        _evidence(CHANGED + timedelta(seconds=1)),
        _evidence(NOW - timedelta(hours=1), changed=NOW - timedelta(seconds=60)),
        _evidence(NOW - timedelta(hours=1), changed=None),
        _evidence(NOW - timedelta(minutes=20), created_s=600.0),
        healthy(),
    ],
    ids=["restarted", "rollout in progress", "unknown", "first value", "healthy"],
)
def test_a_pod_with_the_current_value_is_not_reported(seen: Evidence) -> None:
    assert found(stale_secret.RULE, seen) == []


def test_the_change_of_values_is_read_and_that_of_metadata_is_not() -> None:
    entries: list[dict[str, Any]] = [
        {"time": "2026-06-01T10:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}},
        {"time": "2026-06-01T11:00:00Z", "fieldsV1": {"f:metadata": {}}},
    ]
    body = {"kind": "Secret", "metadata": {"name": "a", "managedFields": entries}}
    changed = secrets.read(body).facts.changed
    assert changed == datetime.fromisoformat("2026-06-01T10:00:00Z")
