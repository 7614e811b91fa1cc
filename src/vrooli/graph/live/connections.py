"""The state of connections between endpoints, from the socket tables of their pods. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.graph.live import endpoints
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot, pod_ips
from vrooli.graph.model import ArrowStatus, State
from vrooli.graph.relations import ConnectsTo, Endpoint, RoutesTo
from vrooli.kube import common_labels, objects
from vrooli.kube.objects import Body
from vrooli.kube.status import controllers_of, is_pod_ready, route_unready_reason

# What serves each kind of route, in messages.
PROXIES = {"Ingress": "the Ingress controller", "HTTPRoute": "the Gateway"}


def connects_to_status(relation: ConnectsTo, snapshot: GraphSnapshot) -> ArrowStatus:
    """The state of one endpoint's connections to another."""
    for end in (relation.source, relation.target):
        if reason := endpoints.access_error(snapshot, end):
            return ArrowStatus(State.UNKNOWN, reason)
    # A failure of the target is more likely the root cause, so it is reported first.
    for end in (relation.target, relation.source):
        if reason := endpoints.unavailable_reason(snapshot, end):
            return ArrowStatus(State.BROKEN, reason)
    return _traffic_status(
        snapshot, snapshot.endpoint_pods(relation.source), relation.source.title, (relation.target,)
    )


def routes_to_status(relation: RoutesTo, snapshot: GraphSnapshot) -> ArrowStatus:
    """The state of the connections of an Ingress controller, or of a Gateway, to the backends."""
    proxy = PROXIES[relation.kind]
    if reason := snapshot.list_error(relation.kind):
        return ArrowStatus(State.UNKNOWN, f"the {relation.kind} could not be read:  {reason}")
    if reason := _route_failure(relation, snapshot):
        return ArrowStatus(State.BROKEN, reason)
    controllers = _controllers(relation, snapshot)
    if not controllers:
        return ArrowStatus(State.UNKNOWN, f"the pods of {proxy} could not be found")
    if not any(is_pod_ready(pod) for pod in controllers):
        return ArrowStatus(State.BROKEN, f"no pod of {proxy} is ready")
    status = _traffic_status(snapshot, controllers, proxy, relation.targets)
    if relation.entrance and status.state is State.ACTIVE:
        return ArrowStatus(State.ACTIVE, f"requests are routed:  {status.message}")
    return status


def _route_failure(relation: RoutesTo, snapshot: GraphSnapshot) -> str:
    """Why an Ingress or an HTTPRoute routes no requests; empty if it can."""
    route = snapshot.find(relation.kind, relation.name)
    if route is None:
        return f"{relation.kind}/{relation.name} doesn't exist"
    if relation.kind == "HTTPRoute" and (reason := route_unready_reason(route)):
        return f"HTTPRoute/{relation.name} isn't served:  {reason}"
    class_error = snapshot.list_error("IngressClass", "")
    if (
        relation.class_name
        and not class_error
        and snapshot.find("IngressClass", relation.class_name, "") is None
    ):
        return f"there is no IngressClass {relation.class_name}, so no controller serves it"
    failures = [
        reason
        for target in relation.targets
        if (reason := endpoints.unavailable_reason(snapshot, target))
    ]
    # The entrance is blocked only if every backend is unavailable.
    is_blocked = failures and (not relation.entrance or len(failures) == len(relation.targets))
    return "; ".join(failures) if is_blocked else ""


def _traffic_status(
    snapshot: GraphSnapshot, sources: list[Body], title: str, targets: tuple[Endpoint, ...]
) -> ArrowStatus:
    opened, closed = _count_connections(snapshot, sources, targets)
    target_titles = ", ".join(target.title for target in targets)
    if opened:
        return ArrowStatus(
            State.ACTIVE, f"{_format_count(opened)} open from {title} to {target_titles}"
        )
    if closed:
        detail = (
            f"{_format_count(closed)} from {title} to {target_titles} closed within the last minute"
        )
        return ArrowStatus(State.ACTIVE, detail)
    pods = [*sources, *(pod for target in targets for pod in snapshot.endpoint_pods(target))]
    has_sockets = [pod for pod in pods if _pod_key(pod) in snapshot.sockets]
    if not has_sockets:
        error = next(
            (
                snapshot.socket_errors[_pod_key(pod)]
                for pod in pods
                if _pod_key(pod) in snapshot.socket_errors
            ),
            "",
        )
        detail = f": {error}" if error else ""
        return ArrowStatus(State.UNKNOWN, f"connections could not be inspected{detail}")
    return ArrowStatus(State.IDLE, f"no connection from {title} to {target_titles} at this moment")


def _count_connections(
    snapshot: GraphSnapshot, sources: list[Body], targets: Iterable[Endpoint]
) -> tuple[int, int]:
    """Open and recently closed connections, from the side that lists more of them."""
    outgoing, incoming = set(), set()
    source_ips = {ip for pod in sources for ip in pod_ips(pod)}
    for target in targets:
        addresses = snapshot.addresses(target)
        for item in _sockets(snapshot, sources):
            if item.remote in addresses or (
                target.host and _is_outside(snapshot, item.remote, target)
            ):
                outgoing.add(item)
        for item in _sockets(snapshot, snapshot.endpoint_pods(target)):
            if item.remote[0] in source_ips and item.local[1] in target.ports:
                incoming.add(item)
    opened = max(sum(item.is_open for item in side) for side in (outgoing, incoming))
    closed = max(sum(not item.is_open for item in side) for side in (outgoing, incoming))
    return opened, closed


def _sockets(snapshot: GraphSnapshot, pods: Iterable[Body]) -> Iterator[Socket]:
    for pod in pods:
        yield from snapshot.sockets.get(_pod_key(pod), ())


def _is_outside(snapshot: GraphSnapshot, remote: tuple[str, int], target: Endpoint) -> bool:
    """Whether an address is outside the cluster and has the target's port."""
    own = {ip for pod in snapshot.all("Pod") for ip in pod_ips(pod)}
    services = {
        str(ip)
        for item in snapshot.all("Service")
        for ip in objects.texts(item, "spec", "clusterIPs")
    }
    return remote[1] in target.ports and remote[0] not in own | services


def _controllers(relation: RoutesTo, snapshot: GraphSnapshot) -> list[Body]:
    """The controller's pods, in namespaces that policies allow, by the controller's name."""
    controller_names = " ".join(_controller_names(relation, snapshot))
    pods = list(_pods_in(snapshot, relation.namespaces))
    matches = [
        pod
        for pod in pods
        if (name := objects.labels(pod).get(common_labels.NAME)) and name in controller_names
    ]
    return matches or (pods if relation.namespaces else [])


def _controller_names(relation: RoutesTo, snapshot: GraphSnapshot) -> Iterator[str]:
    """The controller of the class of an Ingress, and those that report on an HTTPRoute."""
    if relation.class_name:
        item = snapshot.find("IngressClass", relation.class_name, "")
        yield objects.text(item, "spec", "controller")
    if relation.kind == "HTTPRoute":
        route = snapshot.find(relation.kind, relation.name)
        yield from controllers_of(route or {})


def _pods_in(snapshot: GraphSnapshot, namespaces: tuple[str, ...]) -> Iterator[Body]:
    for namespace in dict.fromkeys(namespaces):
        if ("Pod", namespace) in snapshot.places:
            yield from snapshot.all("Pod", namespace)


def _pod_key(pod: Body) -> tuple[str, str]:
    return objects.text(pod, "metadata", "namespace"), objects.name(pod)


def _format_count(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"
