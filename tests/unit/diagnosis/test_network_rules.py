"""The ways in, between and out: Services, Ingress, certificates, DNS and policies."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.evidence import (
    NOW,
    START,
    diagnosed,
    evidence,
    found,
    pod,
    pod_of,
    rendered,
    with_objects,
)
from vrooli.chart import manifest
from vrooli.diagnosis.evidence.connectivity import connections
from vrooli.diagnosis.evidence.model import Answer, Evidence, SecretFacts
from vrooli.diagnosis.evidence.probes import connect, resolve
from vrooli.diagnosis.rules.network import (
    certificates,
    dns,
    ingress_backend,
    ingress_class,
    ingress_controller,
    network_policy,
    service_endpoints,
    tls_secret,
)
from vrooli.kube import network_policies
from vrooli.kube.network_policies import Connection, Endpoint
from vrooli.kube.objects import Ref

LABELS = {"app": "shop"}


def service(selector: dict[str, str], target: object = "http", **metadata: Any) -> dict[str, Any]:
    """A Service of the namespace, an hour old."""
    head = {"name": "shop", "namespace": "dev", "creationTimestamp": START, **metadata}
    ports = [{"name": "http", "port": 80, "targetPort": target}]
    return {"kind": "Service", "metadata": head, "spec": {"selector": selector, "ports": ports}}


def shop(**settings: Any) -> dict[str, Any]:
    """A pod behind it."""
    ports = [{"name": "http", "containerPort": 8080}]
    spec = {"containers": [{"name": "main", "ports": ports}]}
    return pod("shop-1", labels=LABELS, spec=spec, **settings)


def deployed(seen: Evidence, *bodies: dict[str, Any]) -> Evidence:
    """The same, with these objects as Helm has noted them."""
    made = [manifest.of({"apiVersion": "v1", **body}, "dev") for body in bodies]
    return replace(seen, manifests=(*seen.manifests, *made))


def test_a_service_whose_labels_no_pod_has_is_put_back_as_the_release_noted_it() -> None:
    seen = deployed(evidence(service({"app": "other"}), shop()), service(LABELS))
    (symptom,) = service_endpoints.RULE.find(seen)
    assert "no pod has its labels app=other" in symptom.message
    assert json.loads(symptom.command.split("'")[1]) == {"spec": {"selector": LABELS}}


@pytest.mark.parametrize("target", ["web", 9090])
def test_a_service_that_leads_to_a_port_which_no_container_offers_is_told(target: object) -> None:
    (symptom,) = service_endpoints.RULE.find(evidence(service(LABELS, target), shop()))
    assert f"leads to {target}, and its pods offer 8080, http" in symptom.message


def test_a_service_of_a_deployment_without_pods_is_scaled_up() -> None:
    template = {"metadata": {"labels": LABELS}}
    body = {
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "dev"},
        "spec": {"replicas": 0, "template": template},
    }
    (symptom,) = service_endpoints.RULE.find(evidence(service(LABELS), body))
    assert symptom.command == "kubectl scale deployment/shop -n dev --replicas=1"


@pytest.mark.parametrize(
    "body",
    [
        service(LABELS),
        service(LABELS, 8080),
        service({}),
        service({"app": "replica"}, ownerReferences=[{"kind": "PostgresCluster", "name": "pg"}]),
        service({"app": "new"}, creationTimestamp=NOW.isoformat()),
    ],
    ids=["by name", "by number", "without selector", "an operator's", "just made"],
)
def test_a_service_that_leads_somewhere_or_need_not_is_well(body: dict[str, Any]) -> None:
    assert not found(service_endpoints.RULE, evidence(body, shop()))


def ingress(port: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A way in to the Service."""
    backend = {"service": {"name": "shop", "port": port or {"name": "http"}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    body = {"ingressClassName": "traefik", "rules": rules, **spec}
    return {
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "dev"},
        "spec": body,
    }


CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}


def test_an_ingress_without_its_service_or_port_is_told() -> None:
    (lost,) = ingress_backend.RULE.find(with_objects(evidence(ingress()), service({}, name="x")))
    assert "*/ leads to Service/shop, which doesn't exist" in lost.message
    seen = evidence(ingress({"number": 81}), service(LABELS), shop())
    (portless,) = ingress_backend.RULE.find(seen)
    assert "port 81 of Service/shop, which has 80" in portless.message
    assert not found(ingress_backend.RULE, evidence(ingress(), service(LABELS)))


def test_an_ingress_of_no_class_is_taken_up_by_nobody() -> None:
    assert not found(ingress_class.RULE, evidence(ingress(), CLASS))
    (symptom,) = ingress_class.RULE.find(evidence(ingress(ingressClassName="nginx"), CLASS))
    assert "class nginx doesn't exist (there is traefik)" in symptom.message
    assert json.loads(symptom.command.split("'")[1]) == {"spec": {"ingressClassName": "traefik"}}
    (classless,) = ingress_class.RULE.find(evidence(ingress(ingressClassName=None), CLASS))
    assert "no class" in classless.message
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    chosen = {**CLASS, "metadata": {"name": "traefik", "annotations": default}}
    assert not found(ingress_class.RULE, evidence(ingress(ingressClassName=None), chosen))


def helper(name: str, replicas: int = 1, available: int = 1) -> dict[str, Any]:
    """One of the cluster's own Deployments, an hour old."""
    metadata = {"name": name, "namespace": "kube-system", "creationTimestamp": START}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": available},
    }


def test_an_ingress_controller_that_does_not_run_is_found_by_its_class() -> None:
    assert not found(ingress_controller.RULE, evidence(ingress(), CLASS, helper("traefik")))
    seen = evidence(ingress(), CLASS, service(LABELS), shop(), helper("traefik", 0, 0))
    (cause,) = diagnosed(seen).causes
    assert cause.finding.rule_id == "ingress-controller-down"
    assert cause.finding.command == "kubectl scale deployment/traefik -n kube-system --replicas=1"


def tls(*, exists: bool, **facts: Any) -> Evidence:
    """An Ingress with TLS, and its Secret."""
    way_in = ingress(tls=[{"secretName": "cert"}])
    secret = {"kind": "Secret", "metadata": {"name": "cert", "namespace": "dev"}}
    bodies = (way_in, CLASS, service(LABELS), shop(), *([secret] if exists else []))
    ref = Ref("Secret", "cert", "dev")
    return evidence(*bodies, secrets={ref: SecretFacts(**facts)} if exists else {})


WHOLE = {"tls.crt": 100, "tls.key": 100}


def test_a_tls_secret_that_is_missing_or_incomplete_is_told() -> None:
    (cause,) = diagnosed(tls(exists=False)).causes
    assert cause.finding.rule_id == "tls-secret-missing"
    assert cause.finding.command.startswith("kubectl create secret tls cert -n dev")
    (half,) = tls_secret.RULE.find(tls(exists=True, lengths={"tls.crt": 100}))
    assert "has no tls.key" in half.message
    assert not diagnosed(tls(exists=True, lengths=WHOLE)).causes


@pytest.mark.parametrize(
    ("days", "rules"), [(-1, ["certificate-expired"]), (3, ["certificate-ends-soon"]), (60, [])]
)
def test_a_certificates_end_is_told_a_week_before(days: int, rules: list[str]) -> None:
    end = {"tls.crt": NOW + timedelta(days=days)}
    seen = tls(exists=True, lengths=WHOLE, expires=end)
    assert [cause.finding.rule_id for cause in diagnosed(seen).causes] == rules


def test_the_databases_own_certificate_is_made_anew_by_its_operator() -> None:
    labels = {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"}
    ref = Ref("Secret", "vrooli-pg-cluster-cert", "dev")
    body = {"kind": "Secret", "metadata": {"name": ref.name, "namespace": "dev", "labels": labels}}
    facts = SecretFacts(expires={"tls.crt": NOW - timedelta(days=1)})
    (symptom,) = certificates.EXPIRED.find(evidence(body, secrets={ref: facts}))
    assert symptom.command == "kubectl delete secret/vrooli-pg-cluster-cert -n dev"


SERVER_POD = Ref("Pod", "vrooli-dev-server-5d9c7b-abcde", "dev")
ASKED = Answer(resolve.NAME, SERVER_POD, "not found")
FINE = Answer(resolve.NAME, SERVER_POD, "10.96.0.1 kubernetes.default.svc.cluster.local")


def test_a_dns_that_does_not_run_or_does_not_answer_is_told() -> None:
    stopped = evidence(helper("coredns", 0, 0), answers=[ASKED])
    (cause,) = diagnosed(stopped).causes
    assert cause.finding.rule_id == "dns-failing"
    assert cause.finding.command == "kubectl scale deployment/coredns -n kube-system --replicas=1"
    (silent,) = dns.RULE.find(evidence(helper("coredns"), answers=[ASKED]))
    assert "doesn't resolve" in silent.message
    assert not found(dns.RULE, evidence(helper("coredns"), answers=[ASKED, FINE]))
    unasked = Answer(resolve.NAME, SERVER_POD, resolve.NO_ANSWER, ok=False)
    assert not found(dns.RULE, evidence(helper("coredns"), answers=[unasked]))


def policy(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy of the namespace."""
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "dev"}, "spec": spec}


DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
SERVER, UI = pod_of("vrooli-dev-server"), pod_of("vrooli-dev-ui")


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
    assert symptom.message.startswith("it refuses")
    assert "5329: refused" in symptom.message


def test_what_was_not_tried_is_not_told_as_refused() -> None:
    seen = evidence(SERVER, UI, DENY)
    (_, _, way), *_ = connections(seen)
    unable = Answer(connect.NAME, connect.about(way), "`sh` failed: 403 Forbidden", ok=False)
    for answers in ((), (unable,)):
        (symptom,) = network_policy.RULE.find(replace(seen, answers=answers))
        assert symptom.message.startswith("it may refuse")
        assert "TCP port 5329 (not tried)" in symptom.message


def test_of_two_policies_the_one_that_the_release_does_not_have_so_is_blamed() -> None:
    server = {"matchLabels": {"app.kubernetes.io/component": "server"}}
    own = policy("vrooli-dev-server", {"podSelector": server, "policyTypes": ["Ingress"]})
    seen = deployed(evidence(SERVER, UI, own, DENY), {**own, "apiVersion": "v1"})
    assert found(network_policy.RULE, seen) == ["NetworkPolicy/deny"]


def test_a_policy_that_was_changed_by_hand_is_put_back() -> None:
    peers = [{"from": [{"podSelector": {}}]}]
    noted = policy("own", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": peers})
    live = policy("own", {"podSelector": {}, "policyTypes": ["Ingress"]})
    (symptom,) = network_policy.RULE.find(deployed(evidence(SERVER, UI, live), noted))
    assert json.loads(symptom.command.split("'")[1])["spec"]["ingress"] == peers


def test_the_charts_own_policies_let_every_arrow_through() -> None:
    seen = with_objects(rendered(), *_release_pods())
    assert len(list(connections(seen))) > 8
    assert not found(network_policy.RULE, seen)


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
