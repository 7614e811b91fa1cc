"""The rule network-policy-refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from support.diagnosis.evidence import (
    diagnosed,
    evidence,
    found,
    pod,
    pod_of,
    rendered,
    with_objects,
)
from support.objects.network import CLASS, LABELS, deployed, helper, ingress, service, shop
from vrooli.diagnosis.evidence.connectivity import connections
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import connect
from vrooli.diagnosis.rules.network import network_policy
from vrooli.kube import network_policies
from vrooli.kube.network_policies import Connection, Endpoint


def policy(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy of the namespace."""
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "dev"}, "spec": spec}


DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})


SERVER, UI = pod_of("vrooli-dev-server"), pod_of("vrooli-dev-ui")


def _release_pods() -> list[dict[str, Any]]:
    cluster = {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"}
    role = "postgres-operator.crunchydata.com/role"
    redis = {
        "app.kubernetes.io/name": "vrooli-rf",
        "redisfailovers.databases.spotahome.com/name": "vrooli-rf",
    }
    component = "app.kubernetes.io/component"
    dns_pod = pod("coredns", namespace="kube-system", labels={"k8s-app": "kube-dns"})
    return [
        *(pod_of(f"vrooli-dev-{name}") for name in ("ui", "server", "jobs", "adminer")),
        pod_of("vrooli-dev-nsfw-detector"),
        pod("pool", labels={**cluster, role: "pgbouncer"}, owner=("StatefulSet", "pool")),
        pod("primary", labels={**cluster, role: "master"}, owner=("StatefulSet", "primary")),
        pod("rfr", labels={**redis, component: "redis"}, owner=("StatefulSet", "rfr")),
        pod("rfs", labels={**redis, component: "sentinel"}, owner=("StatefulSet", "rfs")),
        dns_pod,
    ]


def test_a_policy_that_refuses_an_arrow_is_named_with_the_arrow() -> None:
    (cause,) = diagnosed(evidence(SERVER, UI, DENY)).causes
    assert (cause.finding.rule_id, cause.finding.resource) == (
        "network-policy-refuses",
        "NetworkPolicy/deny",
    )
    assert "vrooli-dev-ui to vrooli-dev-server, TCP port 5329" in cause.finding.message
    assert cause.finding.command == "kubectl delete networkpolicy/deny -n dev"


def test_where_the_way_is_open_all_the_same_no_policy_is_blamed() -> None:
    seen = evidence(SERVER, UI, DENY)
    (_, _, way), *_ = connections(seen)
    answer = Answer(connect.NAME, connect.about(way), connect.OPEN)
    assert not found(network_policy.RULE, replace(seen, answers=(answer,)))
    refused = replace(answer, text=connect.REFUSED)
    (symptom,) = network_policy.RULE.find(replace(seen, answers=(refused,)))
    assert symptom.message.startswith("it blocks")
    assert "5329: refused" in symptom.message


def test_what_was_not_tried_is_not_told_as_refused() -> None:
    seen = evidence(SERVER, UI, DENY)
    (_, _, way), *_ = connections(seen)
    unable = Answer(connect.NAME, connect.about(way), "`sh` failed: 403 Forbidden", ok=False)
    for answers in ((), (unable,)):
        (symptom,) = network_policy.RULE.find(replace(seen, answers=answers))
        assert symptom.message.startswith("it may block")
        assert "TCP port 5329 (not tested)" in symptom.message


def test_of_two_policies_the_one_that_the_release_does_not_have_so_is_blamed() -> None:
    server = {"matchLabels": {"app.kubernetes.io/component": "server"}}
    own = policy("vrooli-dev-server", {"podSelector": server, "policyTypes": ["Ingress"]})
    seen = deployed(evidence(SERVER, UI, own, DENY), {**own, "apiVersion": "v1"})
    assert found(network_policy.RULE, seen) == ["NetworkPolicy/deny"]


def test_a_policy_that_was_changed_by_hand_is_put_back() -> None:
    peers: list[Any] = [{"from": [{"podSelector": {}}]}]
    noted = policy("own", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": peers})
    live = policy("own", {"podSelector": {}, "policyTypes": ["Ingress"]})
    (symptom,) = network_policy.RULE.find(deployed(evidence(SERVER, UI, live), noted))
    assert json.loads(symptom.command.split("'")[1])["spec"]["ingress"] == peers


def test_the_charts_own_policies_let_every_arrow_through() -> None:
    seen = with_objects(rendered(), *_release_pods())
    assert len(list(connections(seen))) > 8
    assert not found(network_policy.RULE, seen)


def _behind_a_controller(namespace: str, *others: dict[str, Any], **spec: Any) -> Evidence:
    """A pod behind an Ingress, whose controller is in kube-system; a policy admits a namespace."""
    controller = helper("traefik")
    controller["spec"]["template"] = {"metadata": {"labels": {"app": "traefik"}}, "spec": spec}
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
    rules: list[Any] = [{"from": peers, "ports": [{"port": 8080}]}]
    selector = {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress"]}
    own = policy("shop", {**selector, "ingress": rules})
    bodies = (ingress(), CLASS, service(LABELS), shop(), controller, own, *others)
    return deployed(evidence(*bodies), own)


def test_a_policy_that_admits_another_namespace_than_that_of_the_controller_is_found() -> None:
    """Every page is a 502, and all pods are ready."""
    (symptom,) = network_policy.RULE.find(_behind_a_controller("ingress-nginx"))
    assert "traefik to shop" in symptom.message
    assert "TCP port 8080 (not tested)" in symptom.message
    assert "networkPolicies.ingressNamespace=kube-system" in symptom.remediation
    assert symptom.command == "kubectl describe networkpolicy/shop -n dev"
    assert not found(network_policy.RULE, _behind_a_controller("kube-system"))


def test_one_of_two_controllers_is_enough() -> None:
    """Clusters have one for each network."""
    other = helper("traefik")
    other["metadata"]["namespace"] = "internal"
    assert not found(network_policy.RULE, _behind_a_controller("internal", other))
    assert not found(network_policy.RULE, _behind_a_controller("kube-system", other))
    assert found(network_policy.RULE, _behind_a_controller("edge", other))


def test_a_controller_in_the_network_of_its_node_is_not_judged() -> None:
    assert not found(network_policy.RULE, _behind_a_controller("other", hostNetwork=True))


@pytest.mark.parametrize(
    ("rule", "is_open"),
    [
        ({}, True),
        ({"ports": [{"port": 8080}]}, True),
        ({"ports": [{"port": 8000, "endPort": 8090}]}, True),
        ({"ports": [{"port": "http"}]}, True),
        ({"ports": [{"port": 8080, "protocol": "UDP"}]}, False),
        ({"ports": [{"port": 81}]}, False),
        ({"from": [{"podSelector": {"matchLabels": LABELS}}]}, False),
        ({"from": [{"namespaceSelector": {}, "podSelector": {}}]}, True),
        (
            {
                "from": [
                    {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}
                ]
            },
            True,
        ),
        (
            {
                "from": [
                    {
                        "podSelector": {
                            "matchExpressions": [
                                {"key": "app", "operator": "NotIn", "values": ["client"]}
                            ]
                        }
                    }
                ]
            },
            False,
        ),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}, False),
    ],
)
def test_policies_are_read_as_kubernetes_explains_them(rule: dict[str, Any], is_open: bool) -> None:
    client = pod("client", labels={"app": "client"})
    client["status"]["podIP"] = "10.1.2.3"
    way = Connection(Endpoint(client, {}), Endpoint(shop(), {}), 8080)
    allow = policy("a", {"podSelector": {"matchLabels": LABELS}, "ingress": [rule]})
    assert bool(network_policies.find_denying([allow], way)) is not is_open
