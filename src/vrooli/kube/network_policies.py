"""NetworkPolicies as the Kubernetes documentation explains them. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from vrooli.kube.common_labels import NAMESPACE_NAME
from vrooli.kube.objects import (
    Body,
    items,
    labels,
    mapping,
    matches_selector,
    number,
    ref_of,
    text,
    texts,
)


@dataclass(frozen=True)
class Endpoint:
    """One end of a connection: a pod, and the labels of its namespace."""

    pod: Body
    around: Mapping[str, str]

    @property
    def namespace(self) -> str:
        """The namespace of the pod."""
        return ref_of(self.pod).namespace

    @property
    def address(self) -> str:
        """The address of the pod; empty until it has one."""
        return text(self.pod, "status", "podIP")


@dataclass(frozen=True)
class Connection:
    """A connection that a pod needs."""

    source: Endpoint
    target: Endpoint
    port: int
    protocol: str = "TCP"


def find_denying(policies: Iterable[Body], connection: Connection) -> list[Body]:
    """The policies that deny a connection: those of the first endpoint that does not allow it.

    A pod that some policies of a direction select may do only what one of them allows.
    """
    all_policies = list(policies)
    for direction, subject, other in (
        ("Egress", connection.source, connection.target),
        ("Ingress", connection.target, connection.source),
    ):
        selecting = [policy for policy in all_policies if _selects(policy, direction, subject)]
        if selecting and not any(
            _allows(policy, direction, other, connection) for policy in selecting
        ):
            return selecting
    return []


def admitted_namespaces(
    policies: Iterable[Body], pod_labels: Mapping[str, str]
) -> list[str] | None:
    """The namespaces, by name, from which policies admit connections to pods with these labels.

    Returns:
        None if no policy selects the pods.
    """
    selecting = [
        policy
        for policy in policies
        if matches_selector(mapping(policy, "spec", "podSelector"), pod_labels)
    ]
    if not selecting:
        return None
    names = (
        text(peer, "namespaceSelector", "matchLabels", NAMESPACE_NAME)
        for policy in selecting
        for rule in items(policy, "spec", "ingress")
        for peer in items(rule, "from")
    )
    return list(dict.fromkeys(filter(None, names)))


def _selects(policy: Body, direction: str, endpoint: Endpoint) -> bool:
    spec = mapping(policy, "spec")
    types = texts(spec, "policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return (
        direction in types
        and ref_of(policy).namespace == endpoint.namespace
        and matches_selector(mapping(spec, "podSelector"), labels(endpoint.pod))
    )


def _allows(policy: Body, direction: str, other: Endpoint, connection: Connection) -> bool:
    side = "to" if direction == "Egress" else "from"
    return any(
        _is_port(items(rule, "ports"), connection)
        and _is_peer(rule.get(side), ref_of(policy).namespace, other)
        for rule in items(policy, "spec", direction.lower())
    )


def _is_port(ports: Sequence[Body], connection: Connection) -> bool:
    return not ports or any(_is_one_port(port, connection) for port in ports)


def _is_one_port(port: Body, connection: Connection) -> bool:
    expected = port.get("port")
    if (text(port, "protocol") or "TCP") != connection.protocol:
        return False
    if isinstance(expected, str):
        ports = (
            item
            for container in items(connection.target.pod, "spec", "containers")
            for item in items(container, "ports")
        )
        return any(
            item.get("name") == expected and item.get("containerPort") == connection.port
            for item in ports
        )
    if not isinstance(expected, int):
        return expected is None
    return expected <= connection.port <= number(port, "endPort", default=expected)


def _is_peer(peers: Any, namespace: str, other: Endpoint) -> bool:
    if not isinstance(peers, list) or not peers:
        return True
    return any(_matches(peer, namespace, other) for peer in peers if isinstance(peer, Mapping))


def _matches(peer: Body, namespace: str, other: Endpoint) -> bool:
    if block := mapping(peer, "ipBlock"):
        return _is_inside(block, other.address)
    if "namespaceSelector" in peer:
        if not matches_selector(mapping(peer, "namespaceSelector"), other.around):
            return False
    elif other.namespace != namespace:
        return False
    return matches_selector(mapping(peer, "podSelector"), labels(other.pod))


def _is_inside(block: Body, address: str) -> bool:
    if not address:
        return False
    inside = ip_address(address) in ip_network(text(block, "cidr"), strict=False)
    excepted = texts(block, "except")
    return inside and not any(ip_address(address) in ip_network(item) for item in excepted)
