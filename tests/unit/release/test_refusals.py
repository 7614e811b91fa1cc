"""Secrets that Vault refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout.context import RolloutContext
from vrooli.release.rollout.refusals import VAULT_GRACE_S, find_refusals

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DENIED = "Failed to read Vault secret: Error making API request. Code: 403. permission denied"
TEXT = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultStaticSecret
metadata: {name: app}
spec: {destination: {name: vrooli-config}}
"""
DESIRED = tuple(manifest.parse(TEXT, "dev"))


def event(message: str, *, after_s: int = 5, count: int = 2, name: str = "app") -> dict[str, Any]:
    """What the operator says."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "creationTimestamp": NOW.isoformat()},
        "involvedObject": {"kind": "VaultStaticSecret", "name": name},
        "lastTimestamp": (NOW + timedelta(seconds=after_s)).isoformat(),
        "message": message,
        "count": count,
    }


def result(*events: dict[str, Any], filled: bool = False) -> list[str]:
    """What is told, of a secret that is filled or isn't."""
    status = {"secretMAC": "a", "lastGeneration": 1} if filled else {}
    metadata = {"name": "app", "generation": 1}
    body = {
        "kind": "VaultStaticSecret",
        "metadata": metadata,
        "spec": DESIRED[0].body["spec"],
        "status": status,
    }
    failures_of = list(
        find_refusals(RolloutContext(DESIRED, Snapshot.of((body, *events)), None, NOW))
    )
    assert all(item.grace_period_s == VAULT_GRACE_S for item in failures_of)
    return [str(item) for item in failures_of]


def test_a_secret_that_vault_refused_twice_is_reported_in_its_words() -> None:
    reported = [f"VaultStaticSecret/app: refused by Vault ({DENIED})"]
    assert result(event(DENIED)) == reported
    assert result(event(DENIED, count=1), event(DENIED, count=1)) == reported


@pytest.mark.parametrize(
    "passing",
    [
        event(DENIED, count=1),
        event(DENIED, after_s=-5),
        event(DENIED, name="other"),
        event("Failed to read Vault secret: context deadline exceeded"),
        event("Error making API request. Code: 503. Vault is sealed"),
    ],
    ids=["once", "before", "another's", "timeout", "sealed"],
)
def test_what_may_pass_is_waited_for(passing: dict[str, Any]) -> None:
    assert result(passing) == []


def test_a_secret_that_is_filled_is_no_failure() -> None:
    assert result(event(DENIED), filled=True) == []
