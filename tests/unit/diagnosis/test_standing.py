"""What stands on what, read from the chart's own objects."""

from __future__ import annotations

import pytest

from support.evidence import pod, pod_of, rendered, with_objects
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
SEEN = with_objects(rendered(), pod_of("vrooli-dev-server"), SENTINEL, SERVICE)


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
def test_the_server_dependencies(lower: Ref) -> None:
    standing = dependencies(SEEN)
    names = {str(ref) for ref in standing[SERVER]}
    if lower.kind == "VaultStaticSecret":
        assert any(name.startswith("VaultStaticSecret/") for name in names)
    else:
        assert lower in standing[SERVER]


def test_the_ingress_dependencies_the_server() -> None:
    (ingress,) = [ref for ref in dependencies(SEEN) if ref.kind == "Ingress"]
    assert SERVER in dependencies(SEEN)[ingress]
