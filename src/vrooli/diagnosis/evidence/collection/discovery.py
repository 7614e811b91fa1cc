"""Find dependencies of a release in any namespace by their labels, as the checks do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vrooli import operators
from vrooli.diagnosis.evidence.components.vault import vault_services
from vrooli.diagnosis.evidence.model import Evidence

# The values of `app.kubernetes.io/name` in each project's own chart.
CONTROLLERS = (
    *("traefik", "ingress-nginx", "rke2-ingress-nginx", "nginx-ingress", "haproxy-ingress"),
    *("kubernetes-ingress", "kong", "contour", "emissary-ingress"),
)
OF_INGRESS = f"app.kubernetes.io/name in ({','.join(CONTROLLERS)})"
# A few objects in all namespaces, never the pods of a whole cluster.
KINDS: Mapping[tuple[str, str], Sequence[str]] = {
    ("apps/v1", "Deployment"): (*(item.selector for item in operators.OPERATORS), OF_INGRESS),
    ("apps/v1", "DaemonSet"): (OF_INGRESS,),
}
# Nodes are cluster-scoped; their events are in this namespace.
OF_NODES = ("default", "involvedObject.kind=Node")


def of_vault(evidence: Evidence, collected: Iterable[str]) -> list[str]:
    """The namespaces of the release's Vaults that are not collected yet."""
    namespaces = dict.fromkeys(service.namespace for service in vault_services(evidence))
    return [namespace for namespace in namespaces if namespace not in set(collected)]
