"""The address of a Vault as pods use it, and the Service that it refers to. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vrooli.kube.objects import Body, Ref, items, port_number, text

# The port of Vault's own Service, by its chart.
PORT = 8200
# The default ports of addresses without a port, as in Vault's own clients.
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class VaultAddress:
    """The address of a Vault.

    Attributes:
        scheme: http or https.
        host: Its host name or IP address.
        port: Its port; by default that of the scheme.
        path: The path before Vault's own paths, without a trailing slash.
        service: The Service in the cluster that the host refers to; None outside of the cluster.
    """

    scheme: str
    host: str
    port: int
    path: str
    service: Ref | None

    @property
    def is_in_cluster(self) -> bool:
        """Whether its host is the name of a Service in the cluster."""
        return self.service is not None


def parse_address(address: str) -> VaultAddress | None:
    """The parts of an address; None if it is neither http nor https."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return None
    if url.scheme not in PORTS or not url.hostname:
        return None
    return VaultAddress(
        url.scheme,
        url.hostname,
        PORTS[url.scheme] if port is None else port,
        url.path.rstrip("/"),
        service_of(url.hostname),
    )


def service_of(host: str) -> Ref | None:
    """The Service that a host refers to; None if the host is outside of the cluster.

    Hosts in the cluster are `<service>.<namespace>`, `<service>.<namespace>.svc` and
    `<service>.<namespace>.svc.<cluster domain>`, with either scheme. A host without a namespace is
    outside, since it names a different Service for each pod.
    https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
    """
    name, _, rest = host.rstrip(".").partition(".")
    namespace, _, domain = rest.partition(".")
    if not name or not namespace or (name + namespace).isdigit():
        return None
    is_inside = not domain or domain.partition(".")[0] == "svc"
    return Ref("Service", name, namespace) if is_inside else None


def pod_port(service: Body, pod: Body, port: int) -> int:
    """The port of a pod to which a port of its Service is forwarded.

    Args:
        service: The Service; a headless one does not change the port.
        pod: One of its pods, which resolves a named target port.
        port: The port of the Service.
    """
    entry = next((item for item in items(service, "spec", "ports") if item.get("port") == port), {})
    target = entry.get("targetPort")
    if text(service, "spec", "clusterIP") == "None" or not target:
        return port
    return port_number(pod, target) or port
