"""A fake cluster with a healthy release: the operators, Vault and Helm's record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import helm_secret, record
from vrooli.chart import manifest
from vrooli.kube import common_labels
from vrooli.operators import OPERATORS
from vrooli.operators.installation.record import SOURCE, VERSION
from vrooli.release import Release
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.vault import manifests as vault

Body = dict[str, Any]
VAULT_SECRET: Body = {
    "kind": "VaultStaticSecret",
    "metadata": {"name": "creds", "generation": 1},
    "spec": {"destination": {"name": "creds"}},
    "status": {"secretMAC": "x", "lastGeneration": 1},
}


def workload(kind: str, name: str, place: str, labels: dict[str, str], image: str) -> Body:
    """A Deployment or StatefulSet whose only pod is ready."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": place, "labels": labels},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": image}]}}},
        "status": dict.fromkeys(counts, 1),
    }


def operators() -> list[Body]:
    """The three operators, as vrooli installs them."""
    bodies = []
    for operator in OPERATORS:
        records = {SOURCE: "go-module", VERSION: "5.4"}
        labels = dict(term.partition("=")[::2] for term in operator.selector.split(","))
        image = f"localhost/vrooli/{operator.name}:5.4"
        place = operator.namespace
        bodies += [
            namespace(place, labels={common_labels.MANAGED_BY: "vrooli"}, annotations=records),
            workload("Deployment", operator.name, place, labels, image),
        ]
    return bodies


def healthy_cluster() -> FakeCluster:
    """A cluster with the operators, Vault and a Secret from Vault."""
    image = f"{vault.NAME}:2.7.2"
    return FakeCluster(
        *operators(),
        namespace(vault.NAMESPACE, labels={common_labels.MANAGED_BY: "vrooli"}),
        workload("StatefulSet", vault.NAME, vault.NAMESPACE, {}, image),
        VAULT_SECRET,
    )


def add_release(
    cluster: FakeCluster, release: Release, objects: Sequence[Body], status: str, end: End
) -> None:
    """Add Helm's record of revision 3."""
    recorded = [
        manifest.from_body({"apiVersion": cluster.body(*_key(item))["apiVersion"], **item}, "dev")
        for item in objects
    ]
    content = record(3, status, recorded, RevisionMetadata(end=end))
    cluster.add(helm_secret(release, replace(content, namespace=release.namespace)))


def _key(body: Body) -> tuple[str, str]:
    return body["kind"], body["metadata"]["name"]


def make_unavailable(cluster: FakeCluster, kind: str, name: str, place: str) -> None:
    """Make the only pod of a workload unavailable."""
    body = cluster.body(kind, name, place)
    cluster.add({**body, "status": {**body["status"], "readyReplicas": 0, "availableReplicas": 0}})
