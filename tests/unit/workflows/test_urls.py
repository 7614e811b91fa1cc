"""The URLs of a release follow from its routes and from the ports of the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.chart.manifest import Manifest, from_body
from vrooli.workflows.urls import release_urls, unresolved_hosts

EMBEDDED = {
    "api": "https://127.0.0.1:6443",
    "http": "http://127.0.0.1:8080",
    "https": "https://127.0.0.1:8443",
}
API = {"kubernetes": "https://127.0.0.1:6443"}


def service(component: str) -> Manifest:
    labels = {"app.kubernetes.io/component": component}
    metadata = {"name": f"vrooli-dev-{component}", "labels": labels}
    return from_body({"apiVersion": "v1", "kind": "Service", "metadata": metadata}, "dev")


def ingress(component: str, host: str = "", path: str = "/", *, tls: bool = False) -> Manifest:
    backend = {"service": {"name": f"vrooli-dev-{component}", "port": {"name": "http"}}}
    rule: dict[str, Any] = {"http": {"paths": [{"path": path, "backend": backend}]}}
    spec: dict[str, Any] = {"rules": [rule | ({"host": host} if host else {})]}
    if tls:
        spec["tls"] = [{"hosts": [host], "secretName": "tls"}]
    metadata = {"name": f"vrooli-dev-{component}"}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
    return from_body({**kind, "metadata": metadata, "spec": spec}, "dev")


def http_route(component: str, *hosts: str) -> Manifest:
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"name": f"vrooli-dev-{component}", "port": 3000}],
    }
    spec = {"hostnames": list(hosts), "rules": [rule]}
    metadata = {"name": f"vrooli-dev-{component}"}
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    return from_body({**kind, "metadata": metadata, "spec": spec}, "dev")


@pytest.mark.parametrize(
    ("route", "url"),
    [
        (ingress("ui"), "http://127.0.0.1:8080"),
        (ingress("ui", "ui.localhost"), "http://ui.localhost:8080"),
        (ingress("ui", "vrooli.com"), "http://vrooli.com:8080"),
        (ingress("ui", "vrooli.com", tls=True), "https://vrooli.com:8443"),
        (http_route("ui"), "http://127.0.0.1:8080"),
        (http_route("ui", "vrooli.com"), "https://vrooli.com:8443"),
    ],
)
def test_a_route_on_an_embedded_cluster_has_a_url_with_its_port(route: Manifest, url: str) -> None:
    assert release_urls(EMBEDDED, [service("ui"), route]) == API | {"ui": url}


def test_each_component_at_the_root_of_a_host_has_a_url() -> None:
    manifests = [
        *(service("ui"), service("adminer"), service("server")),
        *(ingress("server", path="/api"), ingress("ui")),
        ingress("adminer", "adminer.localhost"),
    ]
    urls = {"ui": "http://127.0.0.1:8080", "adminer": "http://adminer.localhost:8080"}
    assert release_urls(EMBEDDED, manifests) == API | urls


def test_the_usual_port_is_not_printed() -> None:
    cluster = {"http": "http://127.0.0.1:80"}
    assert release_urls(cluster, [service("ui"), ingress("ui")]) == {"ui": "http://127.0.0.1"}


def test_another_cluster_is_reached_by_the_name_of_the_host() -> None:
    manifests = [service("ui"), ingress("ui", "vrooli.com", tls=True)]
    assert release_urls({}, manifests) == {"ui": "https://vrooli.com"}


@pytest.mark.parametrize("host", ["", "*.vrooli.com"])
def test_a_route_whose_address_is_not_known_has_no_url(host: str) -> None:
    assert release_urls({}, [service("ui"), ingress("ui", host)]) == {}


def test_a_host_that_only_other_machines_resolve_is_named() -> None:
    urls = {"ui": "https://vrooli.com:8443", "adminer": "http://adminer.localhost:8080"} | API
    assert unresolved_hosts(urls, EMBEDDED) == ("vrooli.com",)
    assert unresolved_hosts({"ui": "https://vrooli.com"}, {}) == ()
