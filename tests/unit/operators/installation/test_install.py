"""Which version of an operator is said to run: the one that runs."""

from __future__ import annotations

from typing import Any, cast

import pytest

from vrooli import operators
from vrooli.kube import Kube
from vrooli.operators import OperatorStatus
from vrooli.operators.installation.install import running_version

Body = dict[str, Any]
REDIS = "quay.io/spotahome/redis-operator"
VSO = "hashicorp/vault-secrets-operator:0.10.0"


def deployment(*images: str, **labels: str) -> Body:
    """An operator's Deployment that is ready."""
    ready = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    return {
        "metadata": {"name": "pgo", "namespace": "postgres-operator", "labels": labels},
        "spec": {"template": {"spec": {"containers": [{"image": image} for image in images]}}},
        "status": ready,
    }


class Cluster:
    """A cluster with one operator, and what was noted when it was installed."""

    def __init__(self, body: Body, **notes: str) -> None:
        self._body, self._notes = body, {f"vrooli.com/{key}": text for key, text in notes.items()}

    async def get(self, api_version: str, kind: str, name: str) -> Body:
        assert (api_version, kind, name) == ("v1", "Namespace", "postgres-operator")
        labels = {"app.kubernetes.io/managed-by": "vrooli"} if self._notes else {}
        return {"metadata": {"labels": labels, "annotations": self._notes}}

    async def list(self, api_version: str, kind: str, namespace: None, labels: str) -> list[Body]:
        assert (api_version, kind, namespace) == ("apps/v1", "Deployment", None)
        assert labels == operators.PGO.selector
        return [self._body]


async def _status(body: Body, **notes: str) -> OperatorStatus:
    return await operators.status(operators.PGO, cast(Kube, Cluster(body, **notes)))


@pytest.mark.anyio
async def test_the_version_that_was_installed_is_said_while_it_runs() -> None:
    body = deployment("localhost/vrooli/postgres-operator:5.4")
    status = await _status(body, version="5.4", source="go-module")
    assert (status.version, status.source, status.detail) == ("5.4", "go-module", "")


@pytest.mark.anyio
async def test_a_vendors_tag_holds_more_than_the_version() -> None:
    body = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.2-2542")
    status = await _status(body, version="5.8.2", source="vendor")
    assert (status.version, status.source, status.detail) == ("5.8.2", "vendor", "")


@pytest.mark.anyio
async def test_another_version_than_was_noted_is_seen() -> None:
    body = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.5-0")
    status = await _status(body, version="5.4", source="go-module")
    assert (status.version, status.source) == ("5.8.5", "foreign")
    assert status.detail == "another version than was installed here (5.4)"


@pytest.mark.anyio
async def test_an_operator_of_somebody_else_says_its_version_by_its_image() -> None:
    body = deployment("postgres-operator:5.8.5", **{"app.kubernetes.io/version": "5.8.2"})
    status = await _status(body)
    assert (status.version, status.source) == ("5.8.5", "foreign")


@pytest.mark.parametrize(
    ("operator", "images", "version"),
    [
        (operators.REDIS, (f"{REDIS}:v1.2.4",), "1.2.4"),
        (operators.VSO, ("kube-rbac-proxy:v0.18.1", VSO), "0.10.0"),
        (operators.REDIS, ("registry.example:5000/redis-operator",), "9.9"),
        (operators.REDIS, (f"{REDIS}@sha256:0123",), "9.9"),
        (operators.REDIS, (f"{REDIS}:edge",), "9.9"),
    ],
)
def test_the_image_tells_and_else_the_label(
    operator: operators.Operator, images: tuple[str, ...], version: str
) -> None:
    body = deployment(*images, **{"app.kubernetes.io/version": "9.9"})
    assert running_version(operator, body) == version
