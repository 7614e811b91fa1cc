"""The kinds that the fake cluster serves, as an API server with Vrooli's operators does."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of one API version.

    Attributes:
        api_version: Its version, such as apps/v1.
        name: Its name, such as Deployment.
        plural: Its name in paths, such as deployments.
        is_namespaced: Whether its objects belong to namespaces.
    """

    api_version: str
    name: str
    plural: str
    is_namespaced: bool


_NAMESPACED = {
    "v1": (
        "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod ResourceQuota Secret "
        "Service ServiceAccount"
    ),
    "apps/v1": "DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "cert-manager.io/v1": "Certificate",
    "coordination.k8s.io/v1": "Lease",
    "databases.spotahome.com/v1": "RedisFailover",
    "discovery.k8s.io/v1": "EndpointSlice",
    "gateway.networking.k8s.io/v1": "Gateway",
    "networking.k8s.io/v1": "Ingress NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
    "postgres-operator.crunchydata.com/v1beta1": "PostgresCluster",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
    "secrets.hashicorp.com/v1beta1": "VaultAuth VaultConnection VaultStaticSecret",
}
_CLUSTER_WIDE = {
    "v1": "Namespace Node PersistentVolume",
    "admissionregistration.k8s.io/v1": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
        "ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "gateway.networking.k8s.io/v1": "GatewayClass",
    "networking.k8s.io/v1": "IngressClass",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "storage.k8s.io/v1": "StorageClass VolumeAttachment",
}


def _plural(name: str) -> str:
    word = name.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    if word == "endpoints":
        return word
    return f"{word}es" if word.endswith("s") else f"{word}s"


KINDS = tuple(
    Kind(api_version, name, _plural(name), is_namespaced)
    for table, is_namespaced in ((_NAMESPACED, True), (_CLUSTER_WIDE, False))
    for api_version, names in table.items()
    for name in names.split()
)
BY_NAME = {kind.name: kind for kind in KINDS}
BY_PLURAL = {(kind.api_version, kind.plural): kind for kind in KINDS}
