"""HTTPRoutes: what the values of `gateway` become, and which of them the chart rejects."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.architecture import HERE, PEERS
from support.chart.network_policies import Peer, allows
from support.chart.rendering import render
from vrooli.errors import UsageError

HOST = "a.example.com"
ROUTES = [
    {"path": "/api", "service": "server"},
    {"path": "/exact", "pathType": "Exact", "service": "server"},
    {"path": "/", "service": "ui"},
]


def gateway(*hosts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Values with a Gateway for these hosts."""
    entries = list(hosts) or [{"host": HOST, "paths": ROUTES}]
    settings = {"enabled": True, "parentRefs": [{"name": "public"}], "hosts": entries}
    return {"gateway": {**settings, **more}}


def ui_at(host: str) -> dict[str, Any]:
    """A host whose only path leads to the UI."""
    return {"host": host, "paths": [{"path": "/", "service": "ui"}]}


def test_each_service_has_one_rule_with_its_paths_and_port() -> None:
    spec = render(gateway())["HTTPRoute/demo"].body["spec"]
    assert spec["hostnames"] == [HOST]
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}
    assert spec["parentRefs"] == [parent]
    rules = {rule["backendRefs"][0]["name"]: rule for rule in spec["rules"]}
    assert rules["demo-server"]["backendRefs"] == [{"name": "demo-server", "port": 5329}]
    assert [item["path"] for item in rules["demo-server"]["matches"]] == [
        {"type": "PathPrefix", "value": "/api"},
        {"type": "Exact", "value": "/exact"},
    ]
    assert [item["path"]["value"] for item in rules["demo-ui"]["matches"]] == ["/"]


def test_each_host_has_a_route_and_the_empty_host_has_no_hostname() -> None:
    objects = render(gateway(ui_at(HOST), ui_at("")))
    routes = {key: item.body["spec"] for key, item in objects.items() if "HTTPRoute" in key}
    assert list(routes) == ["HTTPRoute/demo", "HTTPRoute/demo-2"]
    assert "hostnames" not in routes["HTTPRoute/demo-2"]


def test_only_the_namespace_of_the_gateway_can_connect_to_exposed_services() -> None:
    settings = {**gateway(), "networkPolicies": {"gatewayNamespace": "gateways"}}
    policies = [item.body for item in render(settings).values() if item.kind == "NetworkPolicy"]
    proxy = Peer("gateways")
    assert allows(policies, HERE, proxy, PEERS["ui"], 3000)
    assert allows(policies, HERE, proxy, PEERS["server"], 5329)
    assert not allows(policies, HERE, proxy, PEERS["adminer"], 8080)
    assert not allows(policies, HERE, proxy, PEERS["jobs"], 4001)
    assert not allows(policies, HERE, PEERS["ingress"], PEERS["ui"], 3000)
    off = {**settings, "gateway": {**settings["gateway"], "enabled": False}}
    policies = [item.body for item in render(off).values() if item.kind == "NetworkPolicy"]
    assert not allows(policies, HERE, proxy, PEERS["ui"], 3000)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"gateway": {"enabled": True}}, "/gateway/"),
    (gateway(parentRefs=[]), "/gateway/parentRefs"),
    ({"gateway": {"enabled": True, "parentRefs": [{"name": "a"}]}}, "/gateway/hosts"),
    (gateway(parentRefs=[{"namespace": "a"}]), "/gateway/parentRefs/0"),
    (gateway(parentRefs=[{"name": "a", "port": 80}]), "/gateway/parentRefs/0"),
    (gateway(ui_at("10.0.0.1")), "/gateway/hosts/0/host"),
    (gateway(ui_at("A.example.com")), "/gateway/hosts/0/host"),
    (
        gateway({"host": HOST, "paths": [{"path": "/a//b", "service": "ui"}]}),
        "/gateway/hosts/0/paths/0/path",
    ),
    (
        gateway(
            {
                "host": HOST,
                "paths": [{"path": "/", "pathType": "ImplementationSpecific", "service": "ui"}],
            }
        ),
        "/gateway/hosts/0/paths/0/pathType",
    ),
    (gateway(tls=[]), "/gateway"),
    (gateway(ui_at(HOST), ui_at(HOST)), r"gateway\.hosts: a\.example\.com is listed twice"),
    (
        {**gateway(), "services": {"ui": {"enabled": False}}},
        r'gateway\.hosts: path / refers to the service "ui", which is disabled',
    ),
    (
        gateway(parentRefs=[{"name": "a"}, {"name": "a", "sectionName": "https"}]),
        r"gateway\.parentRefs: somewhere/a is listed 2 times",
    ),
    (
        gateway(
            parentRefs=[
                {"name": "a", "sectionName": "https"},
                {"name": "a", "namespace": "somewhere", "sectionName": "https"},
            ]
        ),
        r"gateway\.parentRefs: somewhere/a is listed 2 times",
    ),
    (
        {**gateway(), "ingress": {"enabled": True, "hosts": [ui_at("b.example.com"), ui_at(HOST)]}},
        r"gateway\.hosts: a\.example\.com is also in ingress\.hosts",
    ),
    (
        {**gateway(ui_at("")), "ingress": {"enabled": True, "hosts": [ui_at("")]}},
        r"gateway\.hosts: the empty host is also in ingress\.hosts",
    ),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_values_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(settings)


def test_an_ingress_and_a_gateway_share_a_host_only_if_that_is_set() -> None:
    ingress = {"enabled": True, "hosts": [ui_at(HOST)]}
    objects = render({**gateway(shareIngressHosts=True), "ingress": ingress})
    assert {"Ingress/demo", "HTTPRoute/demo"} <= objects.keys()
    # A disabled Ingress claims nothing, and other hosts are of no concern.
    render({**gateway(), "ingress": {**ingress, "enabled": False}})
    render({**gateway(), "ingress": {"enabled": True, "hosts": [ui_at("b.example.com")]}})


def test_two_listeners_of_one_gateway_are_accepted() -> None:
    parents = [{"name": "a", "sectionName": "http"}, {"name": "a", "sectionName": "https"}]
    spec = render(gateway(parentRefs=parents))["HTTPRoute/demo"].body["spec"]
    assert [item["sectionName"] for item in spec["parentRefs"]] == ["http", "https"]
