"""The network policies admit the controllers of Ingresses and Gateways to the pods behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.network import ingress_class
from vrooli.checks.network.ingress_controller import LABELS
from vrooli.findings import Finding
from vrooli.kube.network_policies import admitted_namespaces
from vrooli.kube.objects import Body, mapping, name, text
from vrooli.kube.status import GATEWAY_API, backends_of

NAME = "controller-ingress"
# The pod labels of controllers of Gateways, by the controller name in their GatewayClass. Others
# label the pods of a Gateway with its name (GEP-1762 of Gateway API).
GATEWAY_LABELS = {"traefik.io/gateway-controller": "app.kubernetes.io/name=traefik"}
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


@dataclass(frozen=True)
class Controller:
    """What serves the routes of a kind.

    Attributes:
        route: The kind of the routes, Ingress or HTTPRoute.
        title: The controller, or the Gateway, as messages name it.
        labels: The label selector of its pods; empty if it is not known.
    """

    route: str
    title: str
    labels: str

    @property
    def value(self) -> str:
        """The value of the chart with its namespace."""
        kind = "ingress" if self.route == "Ingress" else "gateway"
        return f"networkPolicies.{kind}Namespace"


async def run(site: Site) -> CheckResult:
    """Compare the namespaces of the controllers' pods with those that the policies admit."""
    summaries: list[str] = []
    findings: list[Finding] = []
    unavailable: list[str] = []
    for controller in [*await _of_ingresses(site), *await _of_gateways(site)]:
        if not controller.labels:
            unavailable.append(f"the pods of {controller.title}, whose labels are unknown")
            continue
        pods = await site.objects("v1", "Pod", None, controller.labels)
        # Policies do not select pods that use the network of their node.
        pods = [pod for pod in pods if not mapping(pod, "spec").get("hostNetwork")]
        if not pods:
            unavailable.append(f"the pods of {controller.title}: none has {controller.labels}")
            continue
        namespaces = frozenset(text(pod, "metadata", "namespace") for pod in pods)
        result = judge(controller, namespaces, admitted(site, controller.route))
        summaries.append(result.summary)
        findings += result.findings
    summary = ", ".join(filter(None, summaries))
    return CheckResult(summary, tuple(findings), tuple(unavailable))


async def _of_ingresses(site: Site) -> list[Controller]:
    """The controllers of the release's Ingress classes."""
    used = site.requirements.ingress_classes
    classes = [item for item in await site.objects(*ingress_class.API) if name(item) in used]
    titles = dict.fromkeys(text(item, "spec", "controller") for item in classes)
    return [Controller("Ingress", title, LABELS.get(title, "")) for title in titles]


async def _of_gateways(site: Site) -> list[Controller]:
    """What serves the Gateways of the release's HTTPRoutes."""
    result = []
    # Routes may name several listeners of one Gateway.
    places = [(item.name, item.namespace) for item, _ in site.requirements.gateways]
    for gateway_name, given in dict.fromkeys(places):
        namespace = given or site.namespace
        gateway = await site.kube.get(GATEWAY_API, "Gateway", gateway_name, namespace)
        kind = text(gateway, "spec", "gatewayClassName")
        body = await site.kube.get(GATEWAY_API, "GatewayClass", kind) if kind else None
        labels = GATEWAY_LABELS.get(text(body, "spec", "controllerName"))
        title = f"Gateway {gateway_name} in namespace {namespace}"
        result.append(Controller("HTTPRoute", title, labels or f"{GATEWAY_NAME}={gateway_name}"))
    return result


def admitted(site: Site, route: str) -> frozenset[str] | None:
    """The namespaces from which all pods behind routes of a kind admit connections.

    Returns:
        None if no policy restricts any of them.
    """
    policies = [item.body for item in site.of_kind("NetworkPolicy")]
    per_service = [
        frozenset(namespaces)
        for selector in _selectors(site, route)
        if (namespaces := admitted_namespaces(policies, selector)) is not None
    ]
    return frozenset.intersection(*per_service) if per_service else None


def _selectors(site: Site, route: str) -> Iterator[Body]:
    names = {service for item in site.of_kind(route) for service in backends_of(item.body)}
    for item in site.of_kind("Service"):
        if name(item.body) in names:
            yield mapping(item.body, "spec", "selector")


def judge(
    controller: Controller, namespaces: frozenset[str], allowed: frozenset[str] | None
) -> CheckResult:
    """Whether a namespace of a controller's pods is admitted; others may serve other releases."""
    if allowed is None:
        return CheckResult()
    if namespaces & allowed:
        return CheckResult(f"the policies admit {controller.title}")
    first = min(namespaces)
    finding = Finding(
        NAME,
        "NetworkPolicy",
        f"{controller.title} has its pods in namespace {first}, from which the policies admit "
        "no connections to the services. Each request would end with an error or a timeout.",
        f"Set {controller.value} to {first}.",
        f"kubectl get pods -n {shell.label(first)} -l {shell.selector(controller.labels)}",
    )
    return CheckResult(findings=(finding,))


def skip_reason(site: Site) -> str:
    """Why the check is not needed."""
    if not site.of_kind("Ingress", "HTTPRoute"):
        return "these values have no Ingress and no HTTPRoute"
    kinds = ("Ingress", "HTTPRoute")
    if all(admitted(site, kind) is None for kind in kinds):
        return "no network policies restrict the services behind the routes"
    return ""


CHECK = Check(
    NAME,
    "Controller ingress",
    "the network policies admit the controllers of Ingresses and Gateways, where they run, to the "
    "pods behind them",
    run,
    skip_reason,
    after=("ingress", "gateway"),
    stops_deploy=True,
)
