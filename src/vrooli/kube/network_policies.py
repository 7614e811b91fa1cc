"""NetworkPolicies as the Kubernetes documentation explains them. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from vrooli.kube.objects import Body, items, labels, mapping, number, ref_of, text, texts

NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, and the labels of its namespace."""

    pod: Body
    around: Mapping[str, str]

    @property
    def namespace(self) -> str:
        """Where it is."""
        return ref_of(self.pod).namespace

    @property
    def address(self) -> str:
        """Its address."""
        return text(self.pod, "status", "podIP")


@dataclass(frozen=True)
class Way:
    """A connection that somebody wants: from, to, and where to."""

    source: End
    target: End
    port: int
    protocol: str = "TCP"


def refusing(policies: Iterable[Body], way: Way) -> list[Body]:
    """The policies that close a way: those of the first end that lets it not through.

    A pod that some policies of a direction select may do only what one of them allows.
    """
    found = list(policies)
    for direction, own, other in (
        ("Egress", way.source, way.target),
        ("Ingress", way.target, way.source),
    ):
        closing = [policy for policy in found if _selects(policy, direction, own)]
        if closing and not any(_lets(policy, direction, other, way) for policy in closing):
            return closing
    return []


def matches(selector: Body, found: Mapping[str, str]) -> bool:
    """Whether a label selector, with its expressions, selects these labels; an empty one all."""
    wanted = mapping(selector, "matchLabels")
    return wanted.items() <= found.items() and all(
        _expression(item, found) for item in items(selector, "matchExpressions")
    )


def _expression(item: Body, found: Mapping[str, str]) -> bool:
    value, wanted = found.get(text(item, "key")), texts(item, "values")
    checks = {
        "In": value in wanted,
        "NotIn": value not in wanted,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return checks.get(text(item, "operator"), False)


def _selects(policy: Body, direction: str, end: End) -> bool:
    spec = mapping(policy, "spec")
    types = texts(spec, "policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return (
        direction in types
        and ref_of(policy).namespace == end.namespace
        and matches(mapping(spec, "podSelector"), labels(end.pod))
    )


def _lets(policy: Body, direction: str, other: End, way: Way) -> bool:
    side = "to" if direction == "Egress" else "from"
    return any(
        _is_port(items(rule, "ports"), way)
        and _is_peer(rule.get(side), ref_of(policy).namespace, other)
        for rule in items(policy, "spec", direction.lower())
    )


def _is_port(ports: Sequence[Body], way: Way) -> bool:
    return not ports or any(_is_one_port(port, way) for port in ports)


def _is_one_port(port: Body, way: Way) -> bool:
    wanted = port.get("port")
    if (text(port, "protocol") or "TCP") != way.protocol:
        return False
    if isinstance(wanted, str):
        named = (
            item
            for container in items(way.target.pod, "spec", "containers")
            for item in items(container, "ports")
        )
        return any(
            item.get("name") == wanted and item.get("containerPort") == way.port for item in named
        )
    if not isinstance(wanted, int):
        return wanted is None
    return wanted <= way.port <= number(port, "endPort", default=wanted)


def _is_peer(peers: Any, namespace: str, other: End) -> bool:
    if not isinstance(peers, list) or not peers:
        return True
    return any(_matches(peer, namespace, other) for peer in peers if isinstance(peer, Mapping))


def _matches(peer: Body, namespace: str, other: End) -> bool:
    if block := mapping(peer, "ipBlock"):
        return _is_inside(block, other.address)
    if "namespaceSelector" in peer:
        if not matches(mapping(peer, "namespaceSelector"), other.around):
            return False
    elif other.namespace != namespace:
        return False
    return matches(mapping(peer, "podSelector"), labels(other.pod))


def _is_inside(block: Body, address: str) -> bool:
    if not address:
        return False
    inside = ip_address(address) in ip_network(text(block, "cidr"), strict=False)
    excepted = texts(block, "except")
    return inside and not any(ip_address(address) in ip_network(item) for item in excepted)
