"""The Kubernetes objects of the development Vault; the only I/O is reading its configuration."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.kube import Manifest, common_labels
from vrooli.programs.versions import wheel_version

VERSION = wheel_version("bao")
IMAGE = f"localhost/vrooli/openbao:{VERSION}"
NAMESPACE = "vault"
NAME = "vault"
POD = f"{NAME}-0"
CLAIM = f"data-{POD}"
# Plain http at the port of the specification, and https. One port cannot serve both.
PORT, TLS_PORT = 8200, 8202
# The server's certificate and key, from ``tls.py``.
TLS_SECRET = "vault-tls"  # noqa: S105 - a name
# The service account that the server's first start authorizes as administrator.
ADMIN = "vault-admin"
ADMIN_ROLE = "vrooli-admin"
SEAL_SECRET = "vault-seal-key"  # noqa: S105 - a name
SEAL_KEY_BYTES = 32
STORAGE = "256Mi"
USER_ID = 1000
LABELS = {common_labels.NAME: "vault", common_labels.MANAGED_BY: "vrooli"}
SELECTOR = {common_labels.NAME: "vault", common_labels.INSTANCE: "vault"}
# The namespace and the labels of the pods that read secrets: the Vault Secrets Operator. Others may
# have installed it in another namespace.
CLIENT_NAMESPACE = "vault-secrets-operator-system"
CLIENT_LABELS = {common_labels.NAME: "vault-secrets-operator"}
# The labels of the temporary namespaces of `vrooli check`, whose pods test the connection.
CHECK_LABELS = {"vrooli.com/scratch": "check"}
# Without these parameters, a sealed server responds with an error, and the kubelet restarts it.
ALIVE_PATH = "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204"
READY_PATH = "/v1/sys/health"
_PORTS = {"http": PORT, "https": TLS_PORT}


def namespace() -> Manifest:
    """The namespace, which enforces the restricted pod security standard."""
    labels = {**LABELS, "pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }


def seal_key() -> Manifest:
    """A new seal key; immutable, since another key could not decrypt the storage."""
    key = secrets.token_hex(SEAL_KEY_BYTES).encode()
    return {
        **_object("v1", "Secret", SEAL_SECRET),
        "type": "Opaque",
        "immutable": True,
        "data": {"key": base64.b64encode(key).decode()},
    }


def server(
    image_hash: str = "", certificate: str = "", client_namespace: str = CLIENT_NAMESPACE
) -> list[Manifest]:
    """All other objects: permissions, configuration, Service and the server.

    Args:
        image_hash: The hash of the image's inputs, if known; a change restarts the server.
        certificate: The server's certificate; a change restarts the server, which reads it once.
        client_namespace: The namespace of the Vault Secrets Operator, which may connect.
    """
    config = (Path(__file__).parent / "openbao.hcl").read_text()
    inputs = hashlib.sha256(f"{config}{image_hash}{certificate}".encode()).hexdigest()[:16]
    return [
        _object("v1", "ServiceAccount", NAME),
        _object("v1", "ServiceAccount", ADMIN),
        _token_review(),
        {**_object("v1", "ConfigMap", NAME), "data": {"openbao.hcl": config}},
        _service(),
        _network_policy(client_namespace),
        _stateful_set(inputs),
    ]


def _object(api_version: str, kind: str, name: str) -> Manifest:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
    }


def _token_review() -> Manifest:
    """The permission to review service account tokens with the API server."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "vrooli-vault-token-review", "labels": LABELS},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:auth-delegator",
        },
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _service() -> Manifest:
    return {
        **_object("v1", "Service", NAME),
        "spec": {
            "selector": SELECTOR,
            "ports": [
                {"name": name, "port": port, "targetPort": name} for name, port in _PORTS.items()
            ],
        },
    }


def _network_policy(client_namespace: str) -> Manifest:
    """Allows connections from the Vault Secrets Operator and from the pods of `vrooli check`.

    The commands of vrooli connect through the API server (port-forward), which the kubelet serves
    inside the pod; its probes come from the node. A policy applies to neither.
    """
    return {
        **_object("networking.k8s.io/v1", "NetworkPolicy", NAME),
        "spec": {
            "podSelector": {"matchLabels": SELECTOR},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [
                        _peer(client_namespace, CLIENT_LABELS),
                        {"namespaceSelector": {"matchLabels": CHECK_LABELS}},
                    ],
                    "ports": [{"protocol": "TCP", "port": port} for port in _PORTS.values()],
                }
            ],
        },
    }


def _peer(namespace: str, pods: Mapping[str, str]) -> dict[str, Any]:
    """The pods with labels in a namespace."""
    return {
        "namespaceSelector": {"matchLabels": {common_labels.NAMESPACE_NAME: namespace}},
        "podSelector": {"matchLabels": dict(pods)},
    }


def _stateful_set(inputs: str) -> Manifest:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": STORAGE}},
        },
    }
    return {
        **_object("apps/v1", "StatefulSet", NAME),
        "spec": {
            "replicas": 1,
            "serviceName": NAME,
            "selector": {"matchLabels": SELECTOR},
            "template": {
                "metadata": {
                    "labels": {**LABELS, **SELECTOR},
                    "annotations": {"vrooli.com/inputs": inputs},
                },
                "spec": _pod(),
            },
            "volumeClaimTemplates": [claim],
        },
    }


def _pod() -> dict[str, Any]:
    return {
        "serviceAccountName": NAME,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 10,
        "containers": [_container()],
        "volumes": [
            {"name": "config", "configMap": {"name": NAME}},
            {"name": "seal", "secret": {"secretName": SEAL_SECRET, "defaultMode": 0o440}},
            {"name": "tls", "secret": {"secretName": TLS_SECRET, "defaultMode": 0o440}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container() -> dict[str, Any]:
    return {
        "name": "openbao",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bao", "server", "-config=/openbao/config/openbao.hcl"],
        "ports": [{"name": name, "containerPort": port} for name, port in _PORTS.items()],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - an emptyDir of the pod
        "readinessProbe": {
            "httpGet": {"path": READY_PATH, "port": "http"},
            "periodSeconds": 1,
            "failureThreshold": 2,
        },
        "livenessProbe": {
            "httpGet": {"path": ALIVE_PATH, "port": "http"},
            "initialDelaySeconds": 10,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/openbao/data"},
            {"name": "config", "mountPath": "/openbao/config", "readOnly": True},
            {"name": "seal", "mountPath": "/openbao/seal", "readOnly": True},
            {"name": "tls", "mountPath": "/openbao/tls", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of the pod
        ],
    }
