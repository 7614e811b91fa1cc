"""What closes a restored copy: the network policies of its pods, and its namespace. No I/O here.

A copy holds the data of its source, so it is as closed as its source is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vrooli.backups.clones import COPY, LABELS, POLICIES, REPOSITORY_PORT, Place
from vrooli.kube import common_labels
from vrooli.kube.objects import Body, items, labels, mapping, matches_selector, name, texts
from vrooli.operators.pgo import names
from vrooli.operators.security import MODES


def namespace(place: Place, source: Body) -> Body:
    """The namespace of a copy, with the pod security standard of its source's namespace."""
    standard = {key: value for key, value in labels(source).items() if key.startswith(MODES)}
    metadata = {"name": place.namespace, "labels": {**LABELS, COPY: place.name, **standard}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def default_deny(place: Place, members: Body) -> Body:
    """The policy that denies what no other policy of a copy's namespace allows.

    Args:
        place: The copy.
        members: The policy of its pods; only the directions that it limits are denied.
    """
    types = members["spec"]["policyTypes"]
    return _policy("default-deny", place, {"podSelector": {}, "policyTypes": types})


def members(place: Place, source: Body, policies: Iterable[Body]) -> Body:
    """The policy of a copy's pods: only they connect to each other.

    Args:
        place: The copy.
        source: The PostgresCluster that it is a copy of.
        policies: The policies of the source's namespace. Their egress applies to the copy, too;
            without any, the source is not limited, and neither is the copy.
    """
    selected = {names.CLUSTER_LABEL: name(source)}
    limits = [
        item
        for item in policies
        if "Egress" in texts(item, "spec", "policyTypes")
        and matches_selector(mapping(item, "spec", "podSelector"), selected)
    ]
    own = {"podSelector": {"matchLabels": {names.CLUSTER_LABEL: place.name}}}
    spec: dict[str, Any] = {**own, "policyTypes": ["Ingress"], "ingress": [{"from": [own]}]}
    if limits:
        rules = [rule for item in limits for rule in items(item, "spec", "egress")]
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = _renamed(rules, name(source), place.name)
    return _policy(members_name(place), place, spec)


def members_name(place: Place) -> str:
    """The name of the policy of a copy's pods."""
    return f"{place.name}-postgres"


def repository_access(source: Body, place: Place) -> tuple[Body, Body]:
    """The two policies that let a copy read the repository of its source, while it is restored."""
    copy = {"matchLabels": {names.CLUSTER_LABEL: place.name}}
    host = {
        "matchLabels": {names.CLUSTER_LABEL: name(source), names.DEDICATED_REPOSITORY_LABEL: ""}
    }
    ports = [{"protocol": "TCP", "port": REPOSITORY_PORT}]
    origin = Place(name(source), source["metadata"]["namespace"])
    title = f"{origin.name}-restore-{place.name}"[:253]
    inbound = {"from": [_peer(place, copy)], "ports": ports}
    outbound = {"to": [_peer(origin, host)], "ports": ports}
    return (
        _policy(
            title,
            Place(place.name, origin.namespace),
            {"podSelector": host, "policyTypes": ["Ingress"], "ingress": [inbound]},
        ),
        _policy(
            title, place, {"podSelector": copy, "policyTypes": ["Egress"], "egress": [outbound]}
        ),
    )


def _peer(place: Place, pods: Body) -> Body:
    around = {"matchLabels": {common_labels.NAMESPACE_NAME: place.namespace}}
    return {"namespaceSelector": around, "podSelector": pods}


def _policy(title: str, place: Place, spec: Body) -> Body:
    return {
        "apiVersion": POLICIES,
        "kind": "NetworkPolicy",
        "metadata": {
            "name": title,
            "namespace": place.namespace,
            "labels": {**LABELS, COPY: place.name},
        },
        "spec": spec,
    }


def _renamed(value: Any, source: str, copy: str) -> Any:
    """Rules with the pods of the copy in place of those of its source."""
    if isinstance(value, list):
        return [_renamed(item, source, copy) for item in value]
    if isinstance(value, dict):
        return {
            key: copy
            if (key, item) == (names.CLUSTER_LABEL, source)
            else _renamed(item, source, copy)
            for key, item in value.items()
        }
    return value
