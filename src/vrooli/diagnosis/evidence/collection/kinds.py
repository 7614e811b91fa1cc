"""The kinds and namespaces that a diagnosis reads. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence

from vrooli.kube.status import GATEWAY_API
from vrooli.operators import OPERATORS

Kind = tuple[str, str]

# Cluster-wide kinds.
OF_CLUSTER: Sequence[Kind] = (
    ("v1", "Node"),
    ("v1", "Namespace"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("apiregistration.k8s.io/v1", "APIService"),
)
# The kinds of the operators, read in every namespace: two releases can share a resource.
OF_OPERATORS: Sequence[Kind] = tuple(
    (resource.api_version, resource.kind)
    for operator in OPERATORS
    for resource in operator.resources
)
# The kinds that are read in the namespace of the release.
OF_RELEASE: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    (GATEWAY_API, "HTTPRoute"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("coordination.k8s.io/v1", "Lease"),
)
# The namespaces of the operators, Vault and the add-ons, and the kinds that are read there.
BELOW = (
    *(operator.namespace for operator in OPERATORS),
    "vault",
    "kube-system",
)
OF_BELOW: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
)
