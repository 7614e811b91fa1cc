"""The network policies of a restored copy: who reaches it, and what it reaches."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.backups import isolation
from vrooli.backups.clones import Place
from vrooli.kube.network_policies import Connection, Endpoint, find_denying
from vrooli.kube.objects import Body

CLUSTER = "postgres-operator.crunchydata.com/cluster"
HOST = "postgres-operator.crunchydata.com/pgbackrest-dedicated"
PLACE = Place("copy", "inspection")
SOURCE: dict[str, Any] = {"metadata": {"name": "vrooli-pg", "namespace": "production"}}
MEMBERS = {"podSelector": {"matchLabels": {CLUSTER: "vrooli-pg"}}}
DNS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
# The policies of a release: all pods of PostgreSQL, those of the pool, and a service.
POLICIES: list[Body] = [
    {
        "spec": {
            **MEMBERS,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [MEMBERS]}],
            "egress": [
                {"to": [DNS], "ports": [{"protocol": "UDP", "port": 53}]},
                {"to": [MEMBERS]},
                {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 6443}]},
            ],
        }
    },
    {
        "spec": {
            "podSelector": {
                "matchLabels": {CLUSTER: "vrooli-pg"},
                "matchExpressions": [{"key": "role", "operator": "In", "values": ["pgbouncer"]}],
            },
            "policyTypes": ["Ingress", "Egress"],
            "egress": [{}],
        }
    },
    {
        "spec": {
            "podSelector": {"matchLabels": {"app": "server"}},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [{}],
        }
    },
]


def pod(namespace: str, address: str = "", **labels: str) -> Endpoint:
    metadata = {"name": "pod", "namespace": namespace, "labels": labels}
    around = {"kubernetes.io/metadata.name": namespace}
    return Endpoint({"metadata": metadata, "status": {"podIP": address}}, around)


COPY, ORIGIN = pod("inspection", **{CLUSTER: "copy"}), pod("production", **{CLUSTER: "vrooli-pg"})
REPOSITORY = pod("production", **{CLUSTER: "vrooli-pg", HOST: ""})


def is_allowed(
    source: Endpoint, target: Endpoint, port: int, *more: Body, origin: list[Body] = POLICIES
) -> bool:
    members = isolation.members(PLACE, SOURCE, origin)
    policies = [isolation.default_deny(PLACE, members), members, *more]
    return not find_denying(policies, Connection(source, target, port))


@pytest.mark.parametrize(
    "stranger", [pod("inspection"), pod("inspection", app="server"), pod("production"), ORIGIN]
)
def test_no_other_pod_connects_to_a_copy(stranger: Endpoint) -> None:
    assert not is_allowed(stranger, COPY, 5432)


def test_the_pods_of_a_copy_connect_to_each_other() -> None:
    assert is_allowed(COPY, COPY, 5432)


def test_a_copy_reaches_what_its_source_reaches_and_not_the_source() -> None:
    assert is_allowed(COPY, pod("kube-system", "10.1.1.1"), 6443)
    assert not is_allowed(COPY, pod("other", "10.1.1.1"), 443)
    assert not is_allowed(COPY, pod("other", "192.0.2.1"), 6443)
    assert not is_allowed(COPY, ORIGIN, 5432)


def test_a_copy_reads_the_repository_only_while_it_is_restored() -> None:
    access = isolation.repository_access(SOURCE, PLACE)
    assert [item["metadata"]["namespace"] for item in access] == ["production", "inspection"]
    assert not is_allowed(COPY, REPOSITORY, 8432)
    assert is_allowed(COPY, REPOSITORY, 8432, *access)
    assert not is_allowed(COPY, REPOSITORY, 5432, *access)
    assert not is_allowed(pod("inspection"), REPOSITORY, 8432, *access)


def test_the_egress_of_a_copy_is_limited_only_if_that_of_its_source_is() -> None:
    assert is_allowed(COPY, pod("other", "192.0.2.1"), 6443, origin=[])
    assert not is_allowed(pod("inspection"), COPY, 5432, origin=[])


def test_a_namespace_has_the_security_of_its_source() -> None:
    source = {
        "metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline", "team": "a"}}
    }
    labels = isolation.namespace(PLACE, source)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert "team" not in labels
