"""The version of an operator is the one that runs."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli import operators
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import common_labels
from vrooli.operators import OperatorStatus
from vrooli.operators.installation.install import find_started, running_version
from vrooli.operators.model import State

Body = dict[str, Any]
REDIS = "quay.io/spotahome/redis-operator"
VSO = "hashicorp/vault-secrets-operator:0.10.0"


def deployment(*images: str, **labels: str) -> Body:
    """An operator's Deployment that is ready."""
    ready = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "pgo",
            "namespace": operators.PGO.namespace,
            "labels": {operators.PGO.selector: "", **labels},
        },
        "spec": {"template": {"spec": {"containers": [{"image": image} for image in images]}}},
        "status": ready,
    }


async def _status(body: Body, **installed: str) -> OperatorStatus:
    """The status of PGO, of which this product installed a version, or none."""
    labels = {common_labels.MANAGED_BY: "vrooli"} if installed else {}
    annotations = {f"vrooli.com/{key}": text for key, text in installed.items()}
    place = namespace(operators.PGO.namespace, labels=labels, annotations=annotations)
    return await operators.status(operators.PGO, FakeCluster(place, body))


async def test_the_installed_version_is_reported_while_it_runs() -> None:
    body = deployment("localhost/vrooli/postgres-operator:5.4")
    status = await _status(body, version="5.4", source="go-module")
    assert (status.version, status.source, status.detail) == ("5.4", "go-module", "")


async def test_the_tag_of_a_vendor_contains_more_than_the_version() -> None:
    body = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.2-2542")
    status = await _status(body, version="5.8.2", source="vendor")
    assert (status.version, status.source, status.detail) == ("5.8.2", "vendor", "")


async def test_an_operator_that_an_older_version_installed_is_outdated() -> None:
    body = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.1-0")
    *_, note = (await _status(body, version="5.8.1", source="vendor")).notes
    assert "5.8.1 is older than 5.8.2" in note
    assert "`vrooli upgrade operators`" in note
    current = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.2-0")
    assert (await _status(current, version="5.8.2", source="vendor")).notes == ()


async def test_another_version_than_was_installed_is_reported() -> None:
    body = deployment("registry.example/crunchydata/postgres-operator:ubi9-5.8.5-0")
    status = await _status(body, version="5.4", source="go-module")
    assert (status.version, status.source) == ("5.8.5", "foreign")
    assert status.detail == "another version than was installed here (5.4)"


async def test_a_foreign_operator_has_the_version_of_its_image() -> None:
    body = deployment("postgres-operator:5.8.5", **{"app.kubernetes.io/version": "5.8.2"})
    status = await _status(body)
    assert (status.version, status.source) == ("5.8.5", "foreign")


def _stopped() -> Body:
    body = deployment("postgres-operator:5.4")
    body["metadata"]["name"] = "pgo"
    body["spec"]["replicas"] = 0
    return {**body, "status": {}}


async def test_an_operator_without_pods_is_not_ready() -> None:
    status = await _status(_stopped(), version="5.4", source="go-module")
    assert (status.state, status.detail) == (State.NOT_READY, "it is scaled to 0 pods")


async def test_an_operator_that_was_installed_here_is_started() -> None:
    place = namespace(operators.PGO.namespace, labels={common_labels.MANAGED_BY: "vrooli"})
    cluster = FakeCluster(place, _stopped())
    started = await find_started(operators.PGO, cluster, Progress())
    assert started["spec"]["replicas"] == 1
    assert cluster.changes == [("patch", "Deployment", "pgo")]


async def test_an_operator_of_somebody_else_is_not_started() -> None:
    cluster = FakeCluster(namespace(operators.PGO.namespace), _stopped())
    with pytest.raises(VrooliError, match="scaled to 0 pods") as failed:
        await find_started(operators.PGO, cluster, Progress())
    assert "kubectl scale deployment/pgo" in failed.value.advice
    assert not cluster.changes


async def test_an_operator_without_a_deployment_is_absent() -> None:
    assert (await operators.status(operators.PGO, FakeCluster())).state is State.ABSENT


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
def test_the_version_is_that_of_the_image_or_else_of_the_label(
    operator: operators.Operator, images: tuple[str, ...], version: str
) -> None:
    body = deployment(*images, **{"app.kubernetes.io/version": "9.9"})
    assert running_version(operator, body) == version
