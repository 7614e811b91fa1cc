"""Services, Ingresses and pods of a release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.diagnosis.evidence import (
    START,
    evidence,
    pod,
)
from vrooli.chart import manifest
from vrooli.diagnosis.evidence.model import Evidence, SecretFacts
from vrooli.kube.objects import Ref

LABELS = {"app": "shop"}


def service(selector: dict[str, str], target: object = "http", **metadata: Any) -> dict[str, Any]:
    """A Service of the namespace, an hour old."""
    head = {"name": "shop", "namespace": "dev", "creationTimestamp": START, **metadata}
    ports = [{"name": "http", "port": 80, "targetPort": target}]
    return {"kind": "Service", "metadata": head, "spec": {"selector": selector, "ports": ports}}


def shop(**settings: Any) -> dict[str, Any]:
    """A pod behind it."""
    ports = [{"name": "http", "containerPort": 8080}]
    spec = {"containers": [{"name": "main", "ports": ports}]}
    return pod("shop-1", labels=LABELS, spec=spec, **settings)


def deployed(observed: Evidence, *bodies: dict[str, Any]) -> Evidence:
    """The same, with these objects as Helm has noted them."""
    created = [manifest.from_body({"apiVersion": "v1", **body}, "dev") for body in bodies]
    return replace(observed, manifests=(*observed.manifests, *created))


def ingress(port: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A way in to the Service."""
    backend = {"service": {"name": "shop", "port": port or {"name": "http"}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    body = {"ingressClassName": "traefik", "rules": rules, **spec}
    return {
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "dev"},
        "spec": body,
    }


CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}


def helper(name: str, replicas: int = 1, available: int = 1) -> dict[str, Any]:
    """One of the cluster's own Deployments, an hour old."""
    metadata = {"name": name, "namespace": "kube-system", "creationTimestamp": START}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": available},
    }


def tls(*, exists: bool, **facts: Any) -> Evidence:
    """An Ingress with TLS, and its Secret."""
    ingress_rule = ingress(tls=[{"secretName": "cert"}])
    secret = {"kind": "Secret", "metadata": {"name": "cert", "namespace": "dev"}}
    bodies = (ingress_rule, CLASS, service(LABELS), shop(), *([secret] if exists else []))
    ref = Ref("Secret", "cert", "dev")
    return evidence(*bodies, secrets={ref: SecretFacts(**facts)} if exists else {})


WHOLE = {"tls.crt": 100, "tls.key": 100}
