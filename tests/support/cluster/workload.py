"""A small workload of the base image alone: a web server in Perl, a volume, a way in."""

from __future__ import annotations

from typing import Any

from vrooli.kube import Kube

IMAGE = "localhost/vrooli/base:12"
PORT = 8080
# Answers every request with the pod's name and what its volume holds.
SERVER = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die $!;
while (my $c = $s->accept) {
    while (<$c>) { last if /^\r?\n/ }
    my $kept = open(my $f, "<", "/data/kept") ? <$f> : "nothing";
    my $body = "$ENV{HOSTNAME} kept $kept";
    print $c "HTTP/1.0 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $c;
}
"""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(name: str, *, volume: str | None = None) -> dict[str, Any]:
    """A restricted pod that runs the server."""
    container: dict[str, Any] = {
        "name": "server",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["perl", "-e", SERVER],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
        "securityContext": RESTRICTED,
        "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
    }
    spec: dict[str, Any] = {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if volume:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": volume}}]
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def claim(name: str) -> dict[str, Any]:
    """A claim of a volume of the default class."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Mi"}},
        },
    }


def service(name: str) -> dict[str, Any]:
    """A Service in front of the pod of that name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]},
    }


def ingress(name: str) -> dict[str, Any]:
    """A way in from outside to the Service of that name."""
    backend = {"service": {"name": name, "port": {"number": 80}}}
    path = {"path": f"/{name}", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [{"http": {"paths": [path]}}]},
    }


def http_route(name: str, parent: dict[str, str], host: str = "") -> dict[str, Any]:
    """A way in from a Gateway to the Service of that name."""
    match = {"path": {"type": "PathPrefix", "value": f"/{name}"}}
    rule = {"matches": [match], "backendRefs": [{"name": name, "port": 80}]}
    hostnames = {"hostnames": [host]} if host else {}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [parent], "rules": [rule], **hostnames},
    }


async def run_pod(kube: Kube, manifest: dict[str, Any], limit_s: float = 240) -> dict[str, Any]:
    """Create the pod in the default namespace, and wait until it is ready."""
    await kube.apply(manifest, namespace="default")
    return await wait_for_pod(kube, manifest["metadata"]["name"], limit_s)


async def wait_for_pod(
    kube: Kube, name: str, limit_s: float = 240, *, namespace: str = "default"
) -> dict[str, Any]:
    """Wait until a pod is ready."""

    def unready_reason(body: dict[str, Any] | None) -> str | None:
        conditions = (body or {}).get("status", {}).get("conditions", ())
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return None if ready else f"{name} is not ready"

    return await kube.wait_for("v1", "Pod", name, namespace, unready_reason, limit_s)
