"""The Gateways of HTTPRoutes exist and would serve them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest, common_labels
from vrooli.kube.objects import Body, items, mapping, matches_selector, text
from vrooli.kube.status import GATEWAY_API, Parent, find_condition

NAME = "gateway"
# What HTTPRoutes can attach to.
PROTOCOLS = ("HTTP", "HTTPS")
REMEDY = "Create or correct the Gateway, or set gateway.parentRefs and gateway.hosts to match it."


async def run(site: Site) -> CheckResult:
    """Check each Gateway that an HTTPRoute names."""
    required = [
        (replace(parent, namespace=parent.namespace or site.namespace), hosts)
        for parent, hosts in site.requirements.gateways
    ]
    namespace = await site.kube.get("v1", "Namespace", site.namespace)
    labels = {
        **mapping(namespace, "metadata", "labels"),
        common_labels.NAMESPACE_NAME: site.namespace,
    }
    bodies = await asyncio.gather(
        *(
            site.kube.get(GATEWAY_API, "Gateway", parent.name, parent.namespace)
            for parent, _ in required
        )
    )
    results = [
        (parent, reason)
        for (parent, hosts), body in zip(required, bodies, strict=True)
        for reason in judge(parent, body, hosts, site.namespace, labels)
    ]
    good = {str(parent) for parent, _ in required} - {str(parent) for parent, _ in results}
    return CheckResult(", ".join(sorted(good)), tuple(_finding(*item) for item in results))


def judge(
    parent: Parent,
    gateway: Manifest | None,
    hosts: Iterable[str],
    namespace: str,
    labels: dict[str, str],
) -> Iterator[str]:
    """Why a Gateway would not serve a route.

    Args:
        parent: The Gateway, or one of its listeners.
        gateway: The object; None if it does not exist.
        hosts: The hosts of the route; empty: any.
        namespace: The namespace of the route.
        labels: The labels of that namespace.
    """
    if gateway is None:
        yield "it does not exist."
        return
    yield from _gateway_problems(gateway)
    listeners = items(gateway, "spec", "listeners")
    names = ", ".join(text(listener, "name") for listener in listeners)
    if parent.listener:
        listeners = [item for item in listeners if text(item, "name") == parent.listener]
    listeners = [item for item in listeners if text(item, "protocol") in PROTOCOLS]
    if not listeners:
        yield f"it has no such listener for HTTP or HTTPS; its listeners are {names}."
        return
    own = parent.namespace == namespace
    allowed = [item for item in listeners if _allows(item, labels, is_own=own)]
    if not allowed:
        yield f"its listeners allow no routes from the namespace {namespace} (allowedRoutes)."
        return
    for host in hosts:
        if not any(_serves(text(item, "hostname"), host) for item in allowed):
            yield f"no listener that allows the route has a hostname that matches {host}."


def _gateway_problems(gateway: Body) -> Iterator[str]:
    accepted = find_condition(gateway, "Accepted")
    class_name = text(gateway, "spec", "gatewayClassName")
    if accepted is None or (not accepted.is_true and not accepted.is_false):
        yield f"no controller has accepted it (GatewayClass {class_name})."
    elif accepted.is_false:
        yield f"its controller does not accept it: {accepted.reason}: {accepted.message}"


def _allows(listener: Body, labels: dict[str, str], *, is_own: bool) -> bool:
    """Whether a listener allows HTTPRoutes of a namespace; by default, of the Gateway's own."""
    kinds = items(listener, "allowedRoutes", "kinds")
    if kinds and all(text(kind, "kind") != "HTTPRoute" for kind in kinds):
        return False
    namespaces = mapping(listener, "allowedRoutes", "namespaces")
    match text(namespaces, "from") or "Same":
        case "All":
            return True
        case "Selector":
            return matches_selector(namespaces.get("selector"), labels)
        case source:
            return source == "Same" and is_own


def _serves(pattern: str, host: str) -> bool:
    """Whether the hostname of a listener and that of a route have a name in common."""
    if not pattern or pattern == host:
        return True
    return any(
        wild.startswith("*.") and name.endswith(wild[1:])
        for wild, name in ((pattern, host), (host, pattern))
    )


def _finding(parent: Parent, message: str) -> Finding:
    command = (
        f"kubectl describe gateway/{shell.name(parent.name, 'gateway')} "
        f"-n {shell.label(parent.namespace)}"
    )
    return Finding(NAME, str(parent), message, REMEDY, command)


def skip_reason(site: Site) -> str:
    """Why no Gateway is needed."""
    return "" if site.requirements.gateways else "these values have no HTTPRoute"


CHECK = Check(
    NAME,
    "Gateway",
    "the Gateways of HTTPRoutes exist, a controller has accepted them, and a listener matches each "
    "host and allows routes from the namespace",
    run,
    skip_reason,
    after=("api-resources",),
    stops_deploy=True,
)
