"""The rule shared-between-releases."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import DEV, evidence, found
from vrooli.diagnosis.rules.release import shared_releases


def workload(release: str) -> dict[str, Any]:
    """A Deployment of a release, with a Secret and a database."""
    sources = [{"secretRef": {"name": "vrooli-redis-creds"}}]
    env = [{"name": "REDIS_SENTINEL_HOSTS", "value": "rfs-vrooli-rf:26379"}]
    labels = {"app.kubernetes.io/instance": release}
    container = {"name": "main", "envFrom": sources, "env": env}
    return {
        "kind": "Deployment",
        "metadata": {"name": f"{release}-x", "namespace": "dev", "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_another_release_with_the_same_secret_and_database_is_told() -> None:
    seen = evidence(workload(DEV.release), workload("other"))
    (symptom,) = shared_releases.RULE.find(seen)
    assert "REDIS_SENTINEL_HOSTS rfs-vrooli-rf:26379, Secret/vrooli-redis-creds" in symptom.message
    assert str(symptom.resource) == "Release/other"
    assert not found(shared_releases.RULE, evidence(workload(DEV.release)))
