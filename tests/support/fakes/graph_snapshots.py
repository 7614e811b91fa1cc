"""A snapshot of a healthy cluster, built from a release's manifests; tests introduce faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from support.chart.rendering import render_once
from vrooli.chart import values
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.graph.diagrams import catalog
from vrooli.graph.live import fetch, state
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import ArrowStatus, ArrowStatuses, Diagram
from vrooli.graph.relations import ConnectsTo, Endpoint, Publishes
from vrooli.kube import events
from vrooli.kube.objects import ref_of
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.operators.vso.names import LABELS
from vrooli.redaction import Redactor

Body = dict[str, Any]
OPERATOR = "vault-secrets-operator-system"


def release(environment: str = "dev", **changes: Any) -> tuple[Manifest, ...]:
    """An environment's objects, with changed values."""
    where = ENVIRONMENTS[environment]
    chosen = values.merge(values.load(where), changes)
    return render_once(chosen, release=where.release, namespace=where.namespace)


def pod(name: str, labels: Mapping[str, str], ip: str, namespace: str = "dev") -> Body:
    """A pod that is ready."""
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def healthy(manifests: Iterable[Manifest], diagrams: Iterable[Diagram]) -> GraphSnapshot:
    """Every part of a release there and ready, with no connection anywhere."""
    defined, drawn = list(manifests), list(diagrams)
    places = fetch.required_resources(defined, drawn, "dev")
    objects: dict[tuple[str, str], dict[str, Body]] = {place.place: {} for place in places}
    sockets: dict[tuple[str, str], tuple[Socket, ...]] = {}

    def add(kind: str, body: Body, namespace: str = "dev") -> None:
        metadata = {**body["metadata"], **({"namespace": namespace} if namespace else {})}
        objects[kind, namespace][metadata["name"]] = {**body, "metadata": metadata}

    for item in defined:
        if (item.kind, "dev") in objects and not item.is_hook:
            add(item.kind, {**item.body, "status": _status(item.kind)})
        if item.kind == "VaultStaticSecret":
            add("Secret", {"metadata": {"name": item.body["spec"]["destination"]["name"]}})
    for route in (route for item in drawn for arrow in item.arrows for route in arrow.relations):
        if isinstance(route, Publishes):
            add("Secret", {"metadata": {"name": route.secret}})
    for number, endpoint in enumerate(_all_endpoints(drawn), 10):
        labels = dict(endpoint.labels)
        if endpoint.roles:
            labels[endpoint.roles[0]] = endpoint.roles[1][0]
        name = f"{endpoint.title.replace(' ', '-').lower()}-pod"
        add("Pod", pod(name, labels, f"10.244.0.{number}"))
        sockets["dev", name] = ()
        for service in endpoint.services:
            add("Service", _service(service, labels, f"10.96.0.{number}", endpoint.ports))
            add("EndpointSlice", _endpoints(service))
    add("IngressClass", _class("traefik"), "")
    controller = {"app.kubernetes.io/name": "traefik"}
    add("Pod", pod("traefik", controller, "10.244.0.4", "kube-system"), "kube-system")
    add("Pod", pod("vso", LABELS, "10.244.0.5", OPERATOR), OPERATOR)
    add("Pod", pod("vault-0", {"app": "vault"}, "10.244.0.6", "vault"), "vault")
    add("Service", _service("vault", {"app": "vault"}, "10.96.0.6", (8200,)), "vault")
    add("EndpointSlice", _endpoints("vault"), "vault")
    sockets["vault", "vault-0"] = ()
    snapshot = Snapshot(
        namespace="dev",
        objects=_by_kind(objects),
        places=frozenset(objects),
    )
    return GraphSnapshot.build(snapshot, sockets)


def _by_kind(objects: Mapping[tuple[str, str], Mapping[str, Body]]) -> dict[str, list[Body]]:
    by_kind: dict[str, list[Body]] = {}
    for (kind, _), bodies in objects.items():
        by_kind.setdefault(kind, []).extend(bodies.values())
    return by_kind


def judged(
    diagrams: Iterable[Diagram], observed: GraphSnapshot, redactor: Redactor | None = None
) -> ArrowStatuses:
    """How the arrows are."""
    return state.evaluate(diagrams, observed, redactor or Redactor())


def without(observed: GraphSnapshot, kind: str, name: str, namespace: str = "dev") -> GraphSnapshot:
    """The same without one object."""
    rest = [item for item in observed.objects[kind] if not _is(item, name, namespace)]
    return _with_objects(observed, kind, rest)


def with_(observed: GraphSnapshot, kind: str, body: Body, namespace: str = "dev") -> GraphSnapshot:
    """The same with one object more, or another in its place."""
    metadata = {**body["metadata"], "namespace": namespace}
    rest = without(observed, kind, metadata["name"], namespace).objects[kind]
    return _with_objects(observed, kind, [*rest, {**body, "metadata": metadata}])


def _with_objects(
    observed: GraphSnapshot, kind: str, bodies: Sequence[Mapping[str, Any]]
) -> GraphSnapshot:
    result = replace(observed, objects={**observed.objects, kind: bodies})
    return replace(result, events=events.parse_events(bodies)) if kind == "Event" else result


def _is(body: Mapping[str, Any], name: str, namespace: str) -> bool:
    ref = ref_of(body)
    return (ref.name, ref.namespace) == (name, namespace)


def connected(
    observed: GraphSnapshot, pod_name: str, socket: Socket, namespace: str = "dev"
) -> GraphSnapshot:
    """The same with a connection of a pod."""
    key = (namespace, pod_name)
    return replace(
        observed, sockets={**observed.sockets, key: (*observed.sockets.get(key, ()), socket)}
    )


def refused(
    observed: GraphSnapshot,
    kind: str,
    namespace: str = "dev",
    why: str = "no permission to list it",
) -> GraphSnapshot:
    """The same snapshot without permission to read a kind."""
    place = (kind, namespace)
    rest = [item for item in observed.objects[kind] if ref_of(item).namespace != namespace]
    missing = Unavailable(f"{kind} in {namespace}", why, place=place)
    return replace(
        _with_objects(observed, kind, rest),
        places=frozenset(observed.places) - {place},
        unavailable=(*observed.unavailable, missing),
    )


def arrow(statuses: ArrowStatuses, key: str) -> ArrowStatus:
    """One arrow's judgement, by diagram/source/target."""
    name, source, target = key.split("/")
    return statuses[name, source, target]


def drawn(environment: str = "dev") -> tuple[tuple[Manifest, ...], tuple[Diagram, ...]]:
    """An environment's objects and pictures."""
    manifests = release(environment)
    return manifests, catalog.build_diagrams(manifests)


def _all_endpoints(diagrams: Iterable[Diagram]) -> list[Endpoint]:
    """The endpoints with pods of the release."""
    result: dict[Endpoint, None] = {}
    for route in (route for item in diagrams for arrow in item.arrows for route in arrow.relations):
        if isinstance(route, ConnectsTo):
            result |= {route.source: None, route.target: None}
        elif hasattr(route, "part"):
            result[route.part] = None
        elif hasattr(route, "targets"):
            result |= dict.fromkeys(route.targets)
    return list({endpoint.title: endpoint for endpoint in result}.values())


def _status(kind: str) -> Body:
    statuses: dict[str, Body] = {
        "VaultStaticSecret": {"secretMAC": "abc", "lastGeneration": 1},
        "VaultAuth": {"valid": True},
        "VaultConnection": {"valid": True},
    }
    return statuses.get(kind, {})


def _service(name: str, labels: Mapping[str, str], ip: str, ports: Iterable[int]) -> Body:
    spec = {
        "selector": dict(labels),
        "clusterIPs": [ip],
        "ports": [{"port": port} for port in ports],
    }
    return {"metadata": {"name": name, "namespace": "dev"}, "spec": spec}


def _endpoints(service: str) -> Body:
    labels = {"kubernetes.io/service-name": service}
    endpoints = [{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}]
    return {"metadata": {"name": f"{service}-x", "labels": labels}, "endpoints": endpoints}


def _class(name: str) -> Body:
    return {"metadata": {"name": name}, "spec": {"controller": f"{name}.io/ingress-controller"}}
