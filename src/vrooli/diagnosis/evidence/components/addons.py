"""Add-ons of the cluster: DNS, metrics server, Ingress controllers. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, Ref, mapping, ref_of, selects, text

DNS = Ref("Deployment", "coredns", "kube-system")
METRICS = Ref("Deployment", "metrics-server", "kube-system")
# Workloads with the name of an Ingress controller that are not the controller.
SIDECARS = {"svclb", "defaultbackend", "backend"}


def controllers(evidence: Evidence, ingress: Body) -> Iterator[Ref]:
    """The workloads of an Ingress controller, matched by name."""
    name = text(ingress, "spec", "ingressClassName")
    kind = evidence.get(Ref("IngressClass", name)) or {}
    # Such as traefik.io/ingress-controller or k8s.io/ingress-nginx.
    tokens = re.split(r"[^a-z0-9]+", text(kind, "spec", "controller").lower())
    words = set(tokens) - {"io", "k8s", "com", "ingress", "controller", ""}
    for body in (*evidence.all("Deployment", ""), *evidence.all("DaemonSet", "")):
        ref, named = ref_of(body), set(ref_of(body).name.split("-"))
        if ref.namespace != evidence.namespace and words & named and not named & SIDECARS:
            yield ref


def deployments_behind(evidence: Evidence, service: Body) -> Iterator[Ref]:
    """The Deployments that a Service selects, with or without pods."""
    selector, where = (
        mapping(service, "spec", "selector"),
        ref_of(service).namespace if service else "",
    )
    for body in evidence.all("Deployment", where):
        if selects(selector, mapping(body, "spec", "template", "metadata", "labels")):
            yield ref_of(body)
