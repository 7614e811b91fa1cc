"""The dependencies of the chart's objects."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import pod, pod_of, rendered, with_objects
from vrooli.diagnosis.dependency_graph import dependencies
from vrooli.kube.objects import Ref

SERVER = Ref("Deployment", "vrooli-dev-server", "dev")
SENTINEL = pod(
    "rfs-vrooli-rf-1",
    labels={"app.kubernetes.io/name": "vrooli-rf", "app.kubernetes.io/component": "sentinel"},
    owner=("ReplicaSet", "rfs-vrooli-rf"),
)
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "rfs-vrooli-rf", "namespace": "dev"},
    "spec": {"selector": {"app.kubernetes.io/component": "sentinel"}},
}
EVIDENCE = with_objects(rendered(), pod_of("vrooli-dev-server"), SENTINEL, SERVICE)


@pytest.mark.parametrize(
    "lower",
    [
        Ref("ConfigMap", "vrooli-dev-connections", "dev"),
        Ref("Secret", "vrooli-redis-creds", "dev"),
        Ref("Secret", "vrooli-dockerhub-pull-secret", "dev"),
        Ref("VaultStaticSecret", "vrooli-dev-redis", "dev"),
        Ref("Service", "vault", "vault"),
        Ref("Service", "rfs-vrooli-rf", "dev"),
        Ref("Deployment", "coredns", "kube-system"),
        Ref("ServiceAccount", "vrooli-dev-server", "dev"),
    ],
    ids=str,
)
def test_the_server_depends_on(lower: Ref) -> None:
    assert lower in dependencies(EVIDENCE)[SERVER]


def test_the_ingress_depends_on_the_server() -> None:
    graph = dependencies(EVIDENCE)
    (ingress,) = [ref for ref in graph if ref.kind == "Ingress"]
    assert SERVER in graph[ingress]
