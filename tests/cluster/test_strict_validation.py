"""A real API server, with the operators' real definitions, accepts every object of the chart."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import LOCAL_POSTGRES
from vrooli.chart import engine, golden, values
from vrooli.chart.values import Values
from vrooli.errors import VrooliError
from vrooli.kube import Kube

# Nothing is written there: every object is applied as a dry run.
NAMESPACE = "default"
# Prometheus' operator and its definitions are no part of the cluster: rendering tests judge these.
UNKNOWN = ("monitoring.coreos.com/",)
FEATURES: dict[str, dict[str, Any]] = {
    "everything on": {
        "services": {
            "nsfwDetector": {
                "gpu": {"enabled": True},
                "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "nodeSelector": {"pool": "gpu"},
            },
            "jobs": {"autoscaling": {"enabled": True}, "extraEnv": {"A": 1, "B": True}},
            "server": {"podDisruptionBudget": {"maxUnavailable": "25%"}},
        },
        "config": {"extra": {"FEATURE": True, "LIMIT": 5}},
        "pgoPostgresql": {
            "image": "registry.example.com/postgres:15",
            "instances": 3,
            "synchronous": True,
            "users": [
                {"name": "vrooli", "databases": ["vrooli", "other"], "options": "CREATEDB"},
                {"name": "reader", "databases": ["vrooli"]},
            ],
            "backup": {
                "storageClass": "slow",
                "schedules": {"full": "0 1 * * 0", "differential": "@daily", "incremental": ""},
                "s3": {
                    "enabled": True,
                    "bucket": "b",
                    "endpoint": "s3.example.com",
                    "region": "r",
                    "secretName": "backup-keys",
                },
            },
            "monitoring": {"enabled": True},
        },
        "spotahomeRedis": {"exporter": {"enabled": True}},
        "persistence": {"redis": {"storageClass": "fast"}},
        "vso": {"audiences": ["vault"], "caCertSecretName": "vault-ca"},
    },
    "nothing that keeps data": {
        "pgoPostgresql": {"enabled": False},
        "externalPostgresql": {"host": "db.example.com"},
        "persistence": {"redis": {"enabled": False}},
        "vso": {"enabled": False},
    },
}


def cases() -> dict[str, Values]:
    """Every golden case, and the features beside them, for the Go module's PGO."""
    every = {**{name: golden.settings(name) for name in golden.CASES}, **FEATURES}
    return {name: values.merge(case, LOCAL_POSTGRES) for name, case in every.items()}


@pytest.mark.parametrize("case", [*golden.CASES, *FEATURES])
async def test_strict_validation_refuses_no_object(bare_kube: Kube, case: str) -> None:
    refused = {}
    for manifest in engine.render(cases()[case], release="strict", namespace=NAMESPACE):
        if manifest.api_version.startswith(UNKNOWN):
            continue
        try:
            await bare_kube.applied(manifest.body, namespace=NAMESPACE)
        except VrooliError as error:
            refused[manifest.key] = error.message
    assert refused == {}


async def test_strict_validation_would_refuse_a_field_that_no_definition_has(
    bare_kube: Kube,
) -> None:
    manifests = engine.render(cases()["keda"], release="strict", namespace=NAMESPACE)
    for kind in (
        *("PostgresCluster", "RedisFailover", "VaultStaticSecret"),
        *("ScaledObject", "Deployment"),
    ):
        body = dict(next(found for found in manifests if found.kind == kind).body)
        body["spec"] = {**body["spec"], "nosuchfield": 1}
        with pytest.raises(VrooliError, match="nosuchfield"):
            await bare_kube.applied(body, namespace=NAMESPACE)


async def test_every_pod_of_the_application_is_within_the_restricted_standard(
    bare_kube: Kube,
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"name": "restricted", "labels": labels}
    await bare_kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace})
    checked = 0
    for found in engine.render(FEATURES["everything on"], release="strict", namespace="restricted"):
        if found.kind not in ("Deployment", "Pod"):
            continue
        template = found.body["spec"]["template"] if found.kind == "Deployment" else found.body
        pod = {"metadata": {"name": found.name}, "spec": template["spec"]}
        # The server's own admission decides.
        body = {"apiVersion": "v1", "kind": "Pod", **pod}
        await bare_kube.applied(body, namespace="restricted")
        checked += 1
    assert checked == 11
