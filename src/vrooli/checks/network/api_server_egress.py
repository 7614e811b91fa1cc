"""The network policies allow the connections from PostgreSQL and the rotator to the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.objects import Body, items, mapping, number, text, texts

SLICES = ("discovery.k8s.io/v1", "EndpointSlice")
# The Service of the API server, which each cluster has.
SERVICE_LABEL = "kubernetes.io/service-name=kubernetes"
NAMESPACE = "default"


async def run(site: Site) -> CheckResult:
    """Compare the endpoints of the API server with the policies' addresses and ports."""
    slices = await site.objects(*SLICES, NAMESPACE, SERVICE_LABEL)
    return judge(policies(site), slices)


def policies(site: Site) -> list[Body]:
    """The policies of the release with addresses: only connections to the API server have some."""
    return [item.body for item in site.of_kind("NetworkPolicy") if any(_rules(item.body))]


def judge(bodies: Iterable[Body], slices: list[Manifest]) -> CheckResult:
    """The endpoints that a policy does not allow. Policies apply to them, not to the Service."""
    endpoints = sorted(set(_endpoints(slices)))
    if not endpoints:
        return CheckResult(unavailable=("the Service kubernetes has no endpoints",))
    refused = [
        endpoint
        for endpoint in endpoints
        if any(not any(_allows(rule, *endpoint) for rule in _rules(body)) for body in bodies)
    ]
    if not refused:
        names = ", ".join(_location(*endpoint) for endpoint in endpoints)
        return CheckResult(f"the policies allow connections to {names}")
    return CheckResult(findings=tuple(_finding(*endpoint) for endpoint in refused))


def _location(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _finding(address: str, port: int) -> Finding:
    length = ip_address(address).max_prefixlen
    return Finding(
        "api-server-egress",
        "NetworkPolicy",
        f"the policies do not allow connections to the API server at {_location(address, port)}. "
        "PostgreSQL would elect no primary, and the rotator would not start.",
        f"Add {address}/{length} to networkPolicies.apiServer.cidrs, and {port} to "
        "networkPolicies.apiServer.ports if it is missing.",
        f"kubectl get endpointslices -n {NAMESPACE} -l {SERVICE_LABEL}",
    )


def _rules(policy: Body) -> Iterator[Body]:
    """The rules of a policy with addresses."""
    for rule in items(policy, "spec", "egress"):
        if any(mapping(peer, "ipBlock") for peer in items(rule, "to")):
            yield rule


def _endpoints(slices: Iterable[Manifest]) -> Iterator[tuple[str, int]]:
    for body in slices:
        ports = [number(port, "port") for port in items(body, "ports")]
        for endpoint in items(body, "endpoints"):
            for address in texts(endpoint, "addresses"):
                yield from ((address, port) for port in ports)


def _allows(rule: Body, address: str, port: int) -> bool:
    blocks = [text(peer, "ipBlock", "cidr") for peer in items(rule, "to")]
    is_inside = any(
        ip_address(address) in ip_network(block, strict=False) for block in blocks if block
    )
    return is_inside and any(number(item, "port") == port for item in items(rule, "ports"))


def skip_reason(site: Site) -> str:
    """Why the check is not needed."""
    return "" if policies(site) else "these values have no network policies with addresses"


CHECK = Check(
    "api-server-egress",
    "API server egress",
    "the network policies allow connections from PostgreSQL's pods and the rotator to each "
    "endpoint of the API server",
    run,
    skip_reason,
    stops_deploy=True,
)
