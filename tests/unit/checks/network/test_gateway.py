"""The checks of Gateways and of the retired Ingress controller."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from vrooli.checks.network import gateway, retired_controller
from vrooli.kube import common_labels
from vrooli.kube.status import Parent

PARENT = Parent("public", "gateways", "https")
HOST = "a.example.com"
LABELS = {"team": "a", common_labels.NAMESPACE_NAME: "dev"}


def listener(name: str = "https", **settings: Any) -> dict[str, Any]:
    """A listener that allows routes of every namespace."""
    routes = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    return {"name": name, "protocol": "HTTPS", "port": 443, **routes, **settings}


def at(
    *listeners: dict[str, Any], accepted: str | None = "True", reason: str = ""
) -> dict[str, Any]:
    """A Gateway with these listeners."""
    condition = {"type": "Accepted", "status": accepted, "reason": reason, "message": "why"}
    return {
        "metadata": {"name": "public", "namespace": "gateways"},
        "spec": {"gatewayClassName": "shared", "listeners": list(listeners)},
        "status": {"conditions": [condition] if accepted else []},
    }


def reasons(
    body: dict[str, Any] | None, parent: Parent = PARENT, hosts: tuple[str, ...] = (HOST,)
) -> list[str]:
    return list(gateway.judge(parent, body, hosts, "dev", LABELS))


def from_(**namespaces: Any) -> dict[str, Any]:
    return {"allowedRoutes": {"namespaces": namespaces}}


@pytest.mark.parametrize(
    ("found", "parent"),
    [
        (at(listener()), PARENT),
        (at(listener("other", protocol="TCP"), listener()), Parent("public", "gateways")),
        (at(listener(hostname=HOST)), PARENT),
        (at(listener(hostname="*.example.com")), PARENT),
        (
            at(
                listener(
                    **from_(**{"from": "Selector", "selector": {"matchLabels": {"team": "a"}}})
                )
            ),
            PARENT,
        ),
        (at(listener(**from_(**{"from": "Same"}))), Parent("public", "dev", "https")),
        (at(listener(allowedRoutes={})), Parent("public", "dev")),
    ],
)
def test_a_gateway_that_matches_the_route_has_no_problem(
    found: dict[str, Any], parent: Parent
) -> None:
    assert reasons(found, parent) == []


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "it does not exist"),
        (at(listener(), accepted=None), "no controller has accepted it (GatewayClass shared)"),
        (at(listener(), accepted="Unknown"), "no controller has accepted it"),
        (at(listener(), accepted="False", reason="Invalid"), "does not accept it: Invalid: why"),
        (at(listener("http")), "no such listener for HTTP or HTTPS; its listeners are http"),
        (at(listener(protocol="TLS")), "no such listener for HTTP or HTTPS"),
        (at(listener(allowedRoutes={})), "allow no routes from the namespace dev"),
        (at(listener(**from_(**{"from": "None"}))), "allow no routes from the namespace dev"),
        (
            at(
                listener(
                    **from_(**{"from": "Selector", "selector": {"matchLabels": {"team": "b"}}})
                )
            ),
            "allow no routes from the namespace dev",
        ),
        (at(listener(allowedRoutes={"kinds": [{"kind": "TCPRoute"}]})), "allow no routes"),
        (at(listener(hostname="b.example.com")), f"hostname that matches {HOST}"),
        (at(listener(hostname="*.example.org")), f"hostname that matches {HOST}"),
    ],
)
def test_a_gateway_that_would_not_serve_the_route_has_the_reason(
    found: dict[str, Any] | None, message: str
) -> None:
    (reason,) = reasons(found)
    assert message in reason


def test_a_wildcard_host_matches_a_listener_of_one_name() -> None:
    assert reasons(at(listener(hostname=HOST)), hosts=("*.example.com",)) == []
    # A wildcard stands for a label at least.
    assert reasons(at(listener(hostname="*.example.com")), hosts=("example.com",))


def test_the_gateways_are_those_of_the_routes_and_otherwise_no_gateway_is_needed() -> None:
    hosts = [{"host": HOST, "paths": [{"path": "/", "service": "ui"}]}]
    settings = {"enabled": True, "parentRefs": [{"name": "public"}], "hosts": hosts}
    here = site(rendered(gateway=settings))
    ((parent, names),) = here.requirements.gateways
    assert (parent.name, parent.listener, names) == ("public", "", (HOST,))
    assert gateway.skip_reason(here) == ""
    assert gateway.skip_reason(site(rendered())) == "these values have no HTTPRoute"


class Cluster:
    """A cluster with one Gateway, in the release's namespace."""

    async def get(self, version: str, kind: str, name: str, namespace: str = "") -> Any:
        if kind == "Namespace":
            return None
        return at(listener(allowedRoutes={})) if (name, namespace) == ("public", "dev") else None


async def test_a_parent_without_a_namespace_is_in_the_release_s_own() -> None:
    hosts = [{"host": HOST, "paths": [{"path": "/", "service": "ui"}]}]
    parents = [{"name": "public"}, {"name": "other", "namespace": "gateways"}]
    settings = {"enabled": True, "parentRefs": parents, "hosts": hosts}
    result = await gateway.run(site(rendered(gateway=settings), Cluster()))
    assert result.summary == "Gateway/public in dev"
    (finding,) = result.findings
    assert finding.resource == "Gateway/other in gateways"
    assert finding.command == "kubectl describe gateway/other -n gateways"


NGINX = {"metadata": {"name": "web"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
DEFAULT = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
F5 = {"metadata": {"name": "nginx"}, "spec": {"controller": "nginx.org/ingress-controller"}}


def ingress(class_name: str = "", **annotations: str) -> dict[str, Any]:
    spec = {"ingressClassName": class_name} if class_name else {}
    return {"metadata": {"name": "i", "annotations": annotations}, "spec": spec}


@pytest.mark.parametrize(
    ("used", "classes"),
    [
        (ingress("web"), [NGINX, F5]),
        (ingress(**{"kubernetes.io/ingress.class": "web"}), [NGINX, F5]),
        (ingress(), [{**NGINX, "metadata": {"name": "web", **DEFAULT}}, F5]),
    ],
)
def test_the_class_of_the_retired_controller_is_a_warning_with_what_to_do(
    used: dict[str, Any], classes: list[dict[str, Any]]
) -> None:
    result = retired_controller.judge([used], classes)
    (warning,) = result.warnings
    assert warning.startswith("IngressClass/web is served by ingress-nginx")
    assert "ingress.className" in warning
    assert "gateway.enabled" in warning
    assert result.findings == ()


@pytest.mark.parametrize(
    ("used", "classes"),
    [
        # The vendor's own controller has the class nginx by default.
        (ingress("nginx"), [NGINX, F5]),
        (ingress("missing"), [NGINX]),
        (ingress(), [NGINX]),
    ],
)
def test_other_controllers_and_unused_classes_are_no_warning(
    used: dict[str, Any], classes: list[dict[str, Any]]
) -> None:
    assert retired_controller.judge([used], classes).warnings == ()
