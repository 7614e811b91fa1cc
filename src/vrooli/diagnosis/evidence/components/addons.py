"""Add-ons of the cluster: DNS, metrics server, Ingress controllers. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, Ref, mapping, ref_of, selects, text
from vrooli.kube.status import controllers_of

DNS = Ref("Deployment", "coredns", "kube-system")
METRICS = Ref("Deployment", "metrics-server", "kube-system")
# Workloads with the name of an Ingress controller that are not the controller.
SIDECARS = {"svclb", "defaultbackend", "backend"}


def controllers(evidence: Evidence, route: Body) -> Iterator[Ref]:
    """The workloads of the controller of an Ingress or an HTTPRoute, matched by name."""
    tokens = re.split(r"[^a-z0-9]+", _controller_name(evidence, route).lower())
    words = set(tokens) - {"io", "k8s", "com", "ingress", "gateway", "controller", ""}
    for body in (*evidence.all("Deployment", ""), *evidence.all("DaemonSet", "")):
        ref, named = ref_of(body), set(ref_of(body).name.split("-"))
        if ref.namespace != evidence.namespace and words & named and not named & SIDECARS:
            yield ref


def _controller_name(evidence: Evidence, route: Body) -> str:
    """Such as k8s.io/ingress-nginx or traefik.io/gateway-controller."""
    if ref_of(route).kind == "HTTPRoute":
        return " ".join(controllers_of(route))
    kind = evidence.get(Ref("IngressClass", text(route, "spec", "ingressClassName"))) or {}
    return text(kind, "spec", "controller")


def deployments_behind(evidence: Evidence, service: Body) -> Iterator[Ref]:
    """The Deployments that a Service selects, with or without pods."""
    selector, where = (
        mapping(service, "spec", "selector"),
        ref_of(service).namespace if service else "",
    )
    for body in evidence.all("Deployment", where):
        if selects(selector, mapping(body, "spec", "template", "metadata", "labels")):
            yield ref_of(body)
