"""The connections between pods that the architecture requires. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrooli.diagnosis.evidence.components.addons import controllers
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube import common_labels
from vrooli.kube.network_policies import Connection, Endpoint
from vrooli.kube.objects import Body, Ref, items, labels, mapping, ref_of, selects, text
from vrooli.kube.status import backends_of, is_pod_ready
from vrooli.operators.pgo.names import CLUSTER_LABEL, ROLE_LABEL
from vrooli.operators.redis.names import FAILOVER_LABEL

# The targets of each component, as in the chart's network policies.
ARROWS: Mapping[str, tuple[str, ...]] = {
    "ui": ("server",),
    "server": ("pool", "redis", "sentinel"),
    "jobs": ("pool", "redis", "sentinel", "nsfw-detector"),
    "adminer": ("primary",),
}
PORTS = {
    "server": 5329,
    "nsfw-detector": 8000,
    "pool": 5432,
    "primary": 5432,
    "redis": 6379,
    "sentinel": 26379,
}


def connections(evidence: Evidence) -> Iterator[tuple[Ref, Ref, Connection]]:
    """Each required connection of the release, including DNS: source, target and connection."""
    pods = _pods_by_component(evidence)
    dns = evidence.pods({"k8s-app": "kube-dns"}, "kube-system")
    for component, targets in ARROWS.items():
        source = pods.get(component)
        if source is None:
            continue
        start = _endpoint(evidence, source)
        if dns:
            yield (
                evidence.owner(source),
                evidence.owner(dns[0]),
                Connection(start, _endpoint(evidence, dns[0]), 53, "UDP"),
            )
        for name in targets:
            target = pods.get(name)
            if target is not None:
                connection = Connection(start, _endpoint(evidence, target), _port(target, name))
                yield evidence.owner(source), evidence.owner(target), connection


def from_controllers(evidence: Evidence) -> Iterator[list[tuple[Ref, Ref, Connection]]]:
    """The connections to a pod behind an Ingress or an HTTPRoute, of which one is needed.

    There is one for each controller of the route's class. Pods that use the network of their node
    are left out: policies do not select them.
    """
    for route in (*evidence.all("Ingress"), *evidence.all("HTTPRoute")):
        sources = [
            (controller, _pod_of(evidence, controller))
            for controller in controllers(evidence, route)
            if not _uses_host_network(evidence, controller)
        ]
        for name in backends_of(route):
            for owner, pod in _pods_behind(evidence, Ref("Service", name, evidence.namespace)):
                target = _endpoint(evidence, pod)
                if port := _port(pod, text(labels(pod), common_labels.COMPONENT)):
                    yield [
                        (controller, owner, Connection(_endpoint(evidence, source), target, port))
                        for controller, source in sources
                    ]


def _pod_of(evidence: Evidence, workload: Ref) -> Body:
    """A pod as the template of a workload describes it."""
    template = mapping(evidence.get(workload), "spec", "template")
    metadata = {"name": workload.name, "namespace": workload.namespace, "labels": labels(template)}
    return {"kind": "Pod", "metadata": metadata}


def _uses_host_network(evidence: Evidence, workload: Ref) -> bool:
    spec = mapping(evidence.get(workload), "spec", "template", "spec")
    return spec.get("hostNetwork") is True


def _pods_behind(evidence: Evidence, service: Ref) -> Iterator[tuple[Ref, Body]]:
    """One pod of each workload that a Service selects."""
    selector = mapping(evidence.get(service), "spec", "selector")
    pods = {owner: pod for owner, pod in evidence.current if selects(selector, labels(pod))}
    yield from pods.items()


def _pods_by_component(evidence: Evidence) -> dict[str, Body]:
    """One pod of each component, a ready one if possible."""
    pods: dict[str, Body] = {}
    for _, pod in evidence.current:
        name = _name(evidence, labels(pod))
        if name and (name not in pods or is_pod_ready(pod)):
            pods[name] = pod
    return pods


def _name(evidence: Evidence, of: Mapping[str, str]) -> str:
    if text(of, common_labels.INSTANCE) == evidence.release:
        return text(of, common_labels.COMPONENT)
    if CLUSTER_LABEL in of:
        roles = {"pgbouncer": "pool", "master": "primary", "primary": "primary"}
        return roles.get(text(of, ROLE_LABEL), "")
    if FAILOVER_LABEL in of:
        return text(of, common_labels.COMPONENT)
    return ""


def _port(pod: Body, name: str) -> int:
    """The container port named http, or the default port; 0 if there is none."""
    for container in items(pod, "spec", "containers"):
        for port in items(container, "ports"):
            number = port.get("containerPort")
            if port.get("name") == "http" and isinstance(number, int):
                return number
    return PORTS.get(name, 0)


def _endpoint(evidence: Evidence, pod: Body) -> Endpoint:
    namespace = ref_of(pod).namespace
    body = evidence.get(Ref("Namespace", namespace)) or {}
    return Endpoint(pod, {common_labels.NAMESPACE_NAME: namespace, **labels(body)})
