"""The URLs of a release: of each component that an Ingress or an HTTPRoute exposes at a path `/`.

No I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from vrooli.chart.manifest import Manifest
from vrooli.graph.manifests.evidence import Route, find_routes
from vrooli.kube import common_labels, objects

DEFAULT_PORTS = {"http": 80, "https": 443}


def release_urls(cluster: Mapping[str, str], manifests: Collection[Manifest]) -> dict[str, str]:
    """The URLs of a release by component, and of the Kubernetes API.

    Args:
        cluster: The URLs of the cluster on this machine: api, http, https; empty for a cluster
            whose Ingress controller is reached by the names of the hosts.
        manifests: The objects of the release.
    """
    result = {"kubernetes": cluster["api"]} if "api" in cluster else {}
    components = {
        item.name: objects.text(item.body, "metadata", "labels", common_labels.COMPONENT)
        for item in manifests
        if item.kind == "Service"
    }
    for route in find_routes(manifests):
        component = components.get(route.service)
        url = _url(route, cluster) if route.path == "/" else ""
        if component and url:
            result.setdefault(component, url)
    return result


def unresolved_hosts(urls: Mapping[str, str], cluster: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts in URLs that this machine must map to the cluster's address before they open."""
    if not cluster:
        return ()
    hosts = (urlsplit(url).hostname or "" for url in urls.values())
    return tuple(dict.fromkeys(host for host in hosts if not _is_local(host)))


def _url(route: Route, cluster: Mapping[str, str]) -> str:
    """The URL of a route; empty if its host is not known."""
    scheme = "https" if _uses_tls(route) else "http"
    if cluster and scheme not in cluster:
        return ""
    local = urlsplit(cluster[scheme]) if cluster else None
    host = route.host or (local.hostname if local else "") or ""
    if not host or "*" in host:
        return ""
    port = local.port if local else None
    suffix = f":{port}" if port and port != DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{host}{suffix}"


def _uses_tls(route: Route) -> bool:
    """Whether clients use TLS.

    An HTTPRoute does not say; a host that other machines know is assumed to have a certificate.
    """
    if route.manifest.kind == "HTTPRoute":
        return bool(route.host) and not _is_local(route.host)
    return route.host in _tls_hosts(route.manifest)


def _tls_hosts(ingress: Manifest) -> Iterator[str]:
    for block in objects.items(ingress.body, "spec", "tls"):
        yield from objects.texts(block, "hosts")


def _is_local(host: str) -> bool:
    """Whether each machine resolves the name to itself (RFC 6761, section 6.3)."""
    return host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
