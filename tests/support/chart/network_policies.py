"""NetworkPolicies as the Kubernetes documentation explains them, over pods that are just labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

NAMESPACE_NAME = "kubernetes.io/metadata.name"
Selector = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """One end of a connection.

    Attributes:
        namespace: Where the pod is; empty for an address outside the cluster.
        labels: The pod's labels.
        address: Its address.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "10.244.0.7"


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects these labels."""
    expected = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in expected.items()):
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", "the chart needs no other"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def allows(
    policies: Iterable[Mapping[str, Any]],
    namespace: str,
    source: Peer,
    target: Peer,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection is allowed by policies that are all in one namespace.

    Both ends are asked: the source's egress rules and the target's ingress rules.
    """
    result = [policy["spec"] for policy in policies]
    return _open(result, namespace, "Egress", source, target, (port, protocol)) and _open(
        result, namespace, "Ingress", target, source, (port, protocol)
    )


def _open(
    specs: list[Any],
    namespace: str,
    direction: str,
    pod: Peer,
    other: Peer,
    port: tuple[int, str],
) -> bool:
    """Whether a pod's own policies of one direction let it speak with the other."""
    own = [
        spec
        for spec in specs
        if direction in spec["policyTypes"]
        and pod.namespace == namespace
        and selects(spec["podSelector"], pod.labels)
    ]
    side = "to" if direction == "Egress" else "from"
    rules = [rule for spec in own for rule in spec.get(direction.lower(), [])]
    return not own or any(
        _is_port(rule, port) and _is_peer(rule.get(side), namespace, other) for rule in rules
    )


def _is_port(rule: Mapping[str, Any], port: tuple[int, str]) -> bool:
    ports = rule.get("ports")
    return not ports or any((item["port"], item["protocol"]) == port for item in ports)


def _is_peer(peers: Any, namespace: str, other: Peer) -> bool:
    return not peers or any(_matches(peer, namespace, other) for peer in peers)


def _matches(peer: Mapping[str, Any], namespace: str, other: Peer) -> bool:
    if "ipBlock" in peer:
        address, block = ip_address(other.address), peer["ipBlock"]
        excepted = map(ip_network, block.get("except", ()))
        return address in ip_network(block["cidr"]) and not any(
            address in network for network in excepted
        )
    if "namespaceSelector" in peer:
        namespace_labels = {NAMESPACE_NAME: other.namespace} if other.namespace else {}
        if not selects(peer["namespaceSelector"], namespace_labels):
            return False
    elif other.namespace != namespace:
        return False
    return selects(peer.get("podSelector", {}), other.labels)
