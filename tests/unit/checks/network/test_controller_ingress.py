"""Policies that would keep the controllers of routes out are found before a deploy."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from support.fakes.cluster import FakeCluster
from vrooli.checks.network import controller_ingress

pytestmark = pytest.mark.anyio

GATEWAY = {
    "enabled": True,
    "parentRefs": [
        {"name": "public", "namespace": "gateways", "sectionName": listener}
        for listener in ("http", "https")
    ],
    "hosts": [{"host": "", "paths": [{"path": "/", "service": "ui"}]}],
}


def body(kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    """An object of the cluster."""
    versions = {"IngressClass": "networking.k8s.io/v1", "Pod": "v1"}
    version = versions.get(kind, "gateway.networking.k8s.io/v1")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": fields}


def cluster(controller: str = "traefik.io/gateway-controller", **pod: Any) -> FakeCluster:
    """A cluster with Traefik in kube-system, for Ingresses and a Gateway."""
    labels = {"app.kubernetes.io/name": "traefik", controller_ingress.GATEWAY_NAME: "public"}
    return FakeCluster(
        body("IngressClass", "traefik", controller="traefik.io/ingress-controller"),
        body("GatewayClass", "traefik", controllerName=controller),
        body("Gateway", "public", "gateways", gatewayClassName="traefik"),
        body("Pod", "traefik-1", "kube-system", metadata={"labels": labels}, **pod),
    )


def routes(kind: str, namespace: str) -> dict[str, Any]:
    """Values with routes of a kind, and policies that admit a namespace to them."""
    value = "ingressNamespace" if kind == "ingress" else "gatewayNamespace"
    changes: dict[str, Any] = {"networkPolicies": {value: namespace}}
    if kind == "gateway":
        changes |= {"ingress": {"enabled": False}, "gateway": GATEWAY}
    return changes


@pytest.mark.parametrize("kind", ["ingress", "gateway"])
async def test_a_controller_elsewhere_is_named_with_the_value(kind: str) -> None:
    result = await controller_ingress.run(site(rendered(**routes(kind, "edge")), cluster()))
    (finding,) = result.findings
    assert "in namespace kube-system" in finding.message
    assert finding.remediation == f"Set networkPolicies.{kind}Namespace to kube-system."


@pytest.mark.parametrize("kind", ["ingress", "gateway"])
@pytest.mark.parametrize("controller", ["traefik.io/gateway-controller", "example.com/other"])
async def test_a_controller_that_is_admitted_is_no_finding(kind: str, controller: str) -> None:
    """Pods of an unknown controller of Gateways have the name of their Gateway."""
    subject = site(rendered(**routes(kind, "kube-system")), cluster(controller))
    result = await controller_ingress.run(subject)
    assert result.summary
    assert (result.findings, result.unavailable) == ((), ())


async def test_a_second_controller_of_the_same_kind_may_serve_others() -> None:
    subject = cluster()
    labels = {"app.kubernetes.io/name": "traefik"}
    subject.add(body("Pod", "traefik-2", "internal", metadata={"labels": labels}))
    result = await controller_ingress.run(site(rendered(**routes("ingress", "internal")), subject))
    assert result.summary == "the policies admit traefik.io/ingress-controller"
    assert result.findings == ()


async def test_a_controller_with_unknown_labels_is_not_called_admitted() -> None:
    subject = cluster()
    subject.add(body("IngressClass", "traefik", controller="example.com/other"))
    result = await controller_ingress.run(site(rendered(), subject))
    assert (result.summary, result.findings) == ("", ())
    assert result.unavailable == ("the pods of example.com/other, whose labels are unknown",)


async def test_pods_in_the_network_of_their_node_are_not_judged() -> None:
    subject = site(rendered(**routes("ingress", "edge")), cluster(hostNetwork=True))
    result = await controller_ingress.run(subject)
    assert result.findings == ()
    assert "traefik.io/ingress-controller" in result.unavailable[0]


@pytest.mark.parametrize(
    "changes", [{"networkPolicies": {"enabled": False}}, {"ingress": {"enabled": False}}]
)
def test_without_routes_or_policies_it_is_not_needed(changes: dict[str, Any]) -> None:
    assert controller_ingress.skip_reason(site(rendered(**changes)))
    assert not controller_ingress.skip_reason(site(rendered()))
