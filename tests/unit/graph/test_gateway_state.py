"""The arrows of a release behind a Gateway: HTTPRoutes in place of an Ingress."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes import graph_snapshots
from support.fakes.graph_snapshots import arrow, judged
from vrooli.graph.diagrams import catalog
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Diagram, State

HOSTS = [
    {
        "host": "vrooli.example.com",
        "paths": [{"path": "/api", "service": "server"}, {"path": "/", "service": "ui"}],
    }
]
CHANGES: dict[str, Any] = {
    "ingress": {"enabled": False},
    "gateway": {
        "enabled": True,
        "parentRefs": [{"name": "traefik", "namespace": "kube-system"}],
        "hosts": HOSTS,
    },
    "networkPolicies": {"gatewayNamespace": "kube-system"},
}
Site = tuple[tuple[Diagram, ...], GraphSnapshot]


def accepted(*conditions: tuple[str, str, str]) -> dict[str, Any]:
    """The status that Traefik writes: type, status and reason of each condition."""
    written = conditions or (("Accepted", "True", ""), ("ResolvedRefs", "True", ""))
    report = {
        "parentRef": {"name": "traefik", "namespace": "kube-system"},
        "controllerName": "traefik.io/gateway-controller",
        "conditions": [
            {"type": name, "status": status, "reason": reason} for name, status, reason in written
        ],
    }
    return {"parents": [report]}


@pytest.fixture(scope="module")
def site() -> Site:
    """The diagrams of the release, and its healthy state."""
    manifests = graph_snapshots.release(**CHANGES)
    diagrams = catalog.build_diagrams(manifests)
    seen = graph_snapshots.healthy(manifests, diagrams)
    return diagrams, with_status(seen, accepted())


def with_status(seen: GraphSnapshot, status: dict[str, Any]) -> GraphSnapshot:
    """The same with another status of the route."""
    route = dict(seen.find("HTTPRoute", "vrooli-dev") or {})
    return graph_snapshots.with_(seen, "HTTPRoute", {**route, "status": status})


def test_a_gateway_has_the_arrows_of_an_ingress_controller(site: Site) -> None:
    architecture = next(item for item in site[0] if item.name == "architecture")
    assert {"Ingress", "Internet"} <= {node.id for node in architecture.nodes}
    (node,) = (node for node in architecture.nodes if node.id == "Ingress")
    assert node.title == ("Gateway",)
    targets = {item.target for item in architecture.arrows if item.source == "Ingress"}
    assert targets == {"UI", "Server"}
    found = judged(*site)
    assert {key for key, item in found.items() if item.state is State.BROKEN} == set()
    assert arrow(found, "architecture/Ingress/UI").state is State.IDLE


def test_the_connections_of_the_gateways_pods_are_traffic(site: Site) -> None:
    diagrams, seen = site
    address = next(iter(seen.find("Pod", "ui-pod")["status"]["podIPs"]))["ip"]  # type: ignore[index]
    socket = Socket((address, 3000), ("10.244.0.4", 40000), True)
    found = judged(diagrams, graph_snapshots.connected(seen, "ui-pod", socket))
    assert arrow(found, "architecture/Ingress/UI").state is State.ACTIVE
    assert arrow(found, "architecture/Internet/Ingress").state is State.ACTIVE


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (accepted(("Accepted", "False", "NotAllowedByListeners")), "NotAllowedByListeners"),
        (
            accepted(("Accepted", "True", ""), ("ResolvedRefs", "False", "BackendNotFound")),
            "cannot resolve its backends: BackendNotFound",
        ),
        ({}, "has no controller that has reported on it"),
    ],
)
def test_a_route_that_is_not_served_breaks_its_arrows_with_the_reason(
    site: Site, status: dict[str, Any], message: str
) -> None:
    diagrams, seen = site
    found = judged(diagrams, with_status(seen, status))
    for path in ("architecture/Ingress/UI", "architecture/Internet/Ingress"):
        result = arrow(found, path)
        assert result.state is State.BROKEN
        assert message in result.message


def test_a_route_that_does_not_exist_breaks_its_arrows(site: Site) -> None:
    diagrams, seen = site
    found = judged(diagrams, graph_snapshots.without(seen, "HTTPRoute", "vrooli-dev"))
    result = arrow(found, "architecture/Ingress/UI")
    assert (result.state, result.message) == (State.BROKEN, "HTTPRoute/vrooli-dev doesn't exist")
