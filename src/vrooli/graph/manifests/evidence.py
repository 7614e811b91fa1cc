"""The fields that support an arrow between components: network policies, settings, routes.

If a network policy restricts the source, the arrow requires a rule that allows the connection.
Otherwise each address in the source's settings supports an arrow. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph.addresses import parse_addresses
from vrooli.graph.manifests.components import Component
from vrooli.graph.model import Reason
from vrooli.graph.relations import Endpoint
from vrooli.kube import objects
from vrooli.kube.objects import Body


@dataclass(frozen=True)
class Route:
    """One path of an Ingress or an HTTPRoute."""

    manifest: Manifest
    class_name: str
    host: str
    path: str
    service: str
    reason: Reason


def connection_reasons(
    source: Component,
    target: Endpoint,
    manifests: Iterable[Manifest],
    aliases: tuple[str, ...] = (),
) -> tuple[Reason, ...]:
    """The reasons for an arrow from a component to a target; empty if there is no arrow.

    Args:
        source: The component.
        target: The other end of the arrow.
        manifests: The release's objects.
        aliases: Names of further Services that lead to the target.
    """
    objects = list(manifests)
    is_restricted, rule_reasons = _egress_rules(source, target, objects)
    setting_reasons = tuple(
        setting.reason
        for setting in source.settings
        for host, _ in parse_addresses(setting.value)
        if _is_address_of(host, target, aliases)
    )
    path_reasons = _same_host_reasons(source, target, objects)
    if is_restricted:
        return (*rule_reasons, *setting_reasons, *path_reasons) if rule_reasons else ()
    return (*setting_reasons, *path_reasons)


def find_routes(manifests: Iterable[Manifest]) -> Iterator[Route]:
    """Every path of every Ingress and HTTPRoute."""
    for item in manifests:
        if item.kind == "Ingress":
            yield from _of_ingress(item)
        elif item.kind == "HTTPRoute":
            yield from _of_http_route(item)


def _of_ingress(item: Manifest) -> Iterator[Route]:
    class_name = objects.text(item.body, "spec", "ingressClassName")
    default = objects.text(item.body, "spec", "defaultBackend", "service", "name")
    if default:
        reason = Reason(item.key, "spec.defaultBackend", default)
        yield Route(item, class_name, "", "/", default, reason)
    for rule_index, rule in enumerate(objects.items(item.body, "spec", "rules")):
        for index, path in enumerate(objects.items(rule, "http", "paths")):
            service = objects.text(path, "backend", "service", "name")
            if service:
                host, url_path = objects.text(rule, "host"), objects.text(path, "path") or "/"
                field = f"spec.rules[{rule_index}].http.paths[{index}]"
                reason = Reason(item.key, field, f"{host}{url_path} to {service}")
                yield Route(item, class_name, host, url_path, service, reason)


def _of_http_route(item: Manifest) -> Iterator[Route]:
    hosts = objects.texts(item.body, "spec", "hostnames") or [""]
    for index, rule in enumerate(objects.items(item.body, "spec", "rules")):
        field = f"spec.rules[{index}]"
        # A rule without matches matches every path.
        matches = objects.items(rule, "matches") or [{}]
        paths = [objects.text(match, "path", "value") or "/" for match in matches]
        for backend in objects.items(rule, "backendRefs"):
            service = objects.text(backend, "name")
            if (objects.text(backend, "kind") or "Service") != "Service":
                continue
            for host in hosts:
                value = f"{', '.join(f'{host}{path}' for path in paths)} to {service}"
                reason = Reason(item.key, field, value)
                yield Route(item, "", host, min(paths, key=len), service, reason)


def _egress_rules(
    source: Component, target: Endpoint, manifests: Iterable[Manifest]
) -> tuple[bool, tuple[Reason, ...]]:
    """Whether a policy restricts the source's egress, and the rules that allow the target."""
    is_restricted, reasons = False, []
    for item in manifests:
        spec = objects.mapping(item.body, "spec")
        if item.kind != "NetworkPolicy" or not _restricts_egress(spec):
            continue
        if not objects.matches_selector(spec.get("podSelector"), source.labels):
            continue
        is_restricted = True
        for index, rule in enumerate(objects.items(spec, "egress")):
            if _allows(rule, target):
                ports = ", ".join(map(str, target.ports))
                reasons.append(Reason(item.key, f"spec.egress[{index}]", f"port {ports}"))
    return is_restricted, tuple(reasons)


def _restricts_egress(spec: Body) -> bool:
    types = objects.texts(spec, "policyTypes")
    return "Egress" in types or (not types and "egress" in spec)


def _allows(rule: Body, target: Endpoint) -> bool:
    ports = [objects.number(item, "port") for item in objects.items(rule, "ports")]
    if ports and not set(ports) & set(target.ports):
        return False
    peers = objects.items(rule, "to")
    if not peers:
        return True
    if target.host:
        return any("ipBlock" in peer for peer in peers if isinstance(peer, Mapping))
    return any(
        "podSelector" in peer
        and "namespaceSelector" not in peer
        and any(
            objects.matches_selector(peer["podSelector"], labels)
            for labels in _possible_labels(target)
        )
        for peer in peers
        if isinstance(peer, Mapping)
    )


def _possible_labels(target: Endpoint) -> Iterator[dict[str, str]]:
    """The possible label sets of its pods."""
    labels = dict(target.labels)
    if target.roles is None:
        yield labels
    else:
        key, values = target.roles
        yield from ({**labels, key: value} for value in values)


def _is_address_of(host: str, target: Endpoint, aliases: tuple[str, ...]) -> bool:
    """Whether a host names the target: a Service by its short or full name, or an external host."""
    if target.host:
        return host == target.host
    name, _, rest = host.partition(".")
    return name in (*target.services, *aliases) and (not rest or ".svc" in f".{rest}")


def _same_host_reasons(
    source: Component, target: Endpoint, manifests: Iterable[Manifest]
) -> tuple[Reason, ...]:
    """Paths to the target on the host of the page, which the browser calls."""
    if source.name != "ui":
        return ()
    all_routes = list(find_routes(manifests))
    hosts = {route.host for route in all_routes if route.service in source.endpoint.services}
    return tuple(
        route.reason
        for route in all_routes
        if route.host in hosts and route.service in target.services
    )
