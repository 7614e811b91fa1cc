"""Whether Gateways serve a route: the conditions that their controllers write for each parent.

Source: the status of HTTPRoute in Gateway API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.kube.objects import Body, items, mapping, text
from vrooli.kube.status.conditions import Condition, is_observed, read_conditions

GATEWAY_GROUP = "gateway.networking.k8s.io"
GATEWAY_API = f"{GATEWAY_GROUP}/v1"
ACCEPTED, RESOLVED = "Accepted", "ResolvedRefs"
# What a condition that is not True means for the requests.
MEANINGS = {ACCEPTED: "does not accept it", RESOLVED: "cannot resolve its backends"}


@dataclass(frozen=True)
class Parent:
    """A Gateway, or one of its listeners, that a route names as its parent.

    Attributes:
        name: The name of the Gateway.
        namespace: Its namespace.
        listener: The name of the listener; empty: all listeners.
    """

    name: str
    namespace: str
    listener: str = ""

    def __str__(self) -> str:
        """Such as Gateway/public in gateways (listener https)."""
        listener = f" (listener {self.listener})" if self.listener else ""
        return f"Gateway/{self.name} in {self.namespace}{listener}"


@dataclass(frozen=True)
class RouteProblem:
    """Why one parent does not serve a route.

    Attributes:
        parent: The parent.
        message: The reason, in words.
        is_pending: Whether a controller may still decide: it has not reported on the last change.
    """

    parent: Parent
    message: str
    is_pending: bool = False

    def __str__(self) -> str:
        """The parent and the reason."""
        return f"{self.parent} {self.message}"


def parents_of(route: Body) -> tuple[Parent, ...]:
    """The Gateways that a route names; other kinds of parents, such as a Service, are left out."""
    own = text(route, "metadata", "namespace")
    return tuple(
        _parent(ref, own)
        for ref in items(route, "spec", "parentRefs")
        if (text(ref, "kind") or "Gateway") == "Gateway"
        and (text(ref, "group") or GATEWAY_GROUP) == GATEWAY_GROUP
    )


def backends_of(route: Body) -> tuple[str, ...]:
    """The names of the Services to which an Ingress or an HTTPRoute routes, each once."""
    default = text(route, "spec", "defaultBackend", "service", "name")
    names = [default] if default else []
    for rule in items(route, "spec", "rules"):
        for path in items(rule, "http", "paths"):
            names.append(text(path, "backend", "service", "name"))
        for backend in items(rule, "backendRefs"):
            if (text(backend, "kind") or "Service") == "Service":
                names.append(text(backend, "name"))
    return tuple(dict.fromkeys(filter(None, names)))


def controllers_of(route: Body) -> tuple[str, ...]:
    """The names of the controllers that have reported on a route."""
    return tuple(text(report, "controllerName") for report in items(route, "status", "parents"))


def route_problems(route: Body) -> tuple[RouteProblem, ...]:
    """Why Gateways do not serve a route; empty if all serve it."""
    return tuple(problem for parent in parents_of(route) for problem in _of_parent(route, parent))


def route_unready_reason(route: Body) -> str | None:
    """Why a route is not served, in one line; None if it is."""
    return "; ".join(map(str, route_problems(route))) or None


def _of_parent(route: Body, parent: Parent) -> Iterator[RouteProblem]:
    own = text(route, "metadata", "namespace")
    reports = [
        report
        for report in items(route, "status", "parents")
        if _parent(mapping(report, "parentRef"), own) == parent
    ]
    if not reports:
        yield RouteProblem(parent, "has no controller that has reported on it", is_pending=True)
    for report in reports:
        yield from _of_report(route, parent, report)


def _of_report(route: Body, parent: Parent, report: Body) -> Iterator[RouteProblem]:
    conditions = {item.type: item for item in read_conditions({"status": report})}
    if not _is_current(route, report):
        yield RouteProblem(parent, "has not processed its last change", is_pending=True)
    elif ACCEPTED not in conditions:
        yield RouteProblem(parent, "has not accepted it yet", is_pending=True)
    else:
        for name, meaning in MEANINGS.items():
            condition = conditions.get(name)
            if condition is not None and not condition.is_true:
                message = f"{meaning}: {_format_cause(condition)}"
                yield RouteProblem(parent, message, is_pending=not condition.is_false)


def _is_current(route: Body, report: Body) -> bool:
    """Whether every condition is about the last change; some controllers write no generation."""
    metadata = mapping(route, "metadata")
    return all(
        is_observed({"metadata": metadata, "status": condition})
        for condition in items(report, "conditions")
        if "observedGeneration" in condition
    )


def _format_cause(condition: Condition) -> str:
    return ": ".join(filter(None, (condition.reason, condition.message)))


def _parent(ref: Body, own_namespace: str) -> Parent:
    return Parent(
        text(ref, "name"), text(ref, "namespace") or own_namespace, text(ref, "sectionName")
    )
