"""The dependencies of each object, read from the objects.

No I/O here. Pods are represented by their workload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.components.addons import (
    DNS,
    METRICS,
    controllers,
    deployments_behind,
)
from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube import references
from vrooli.kube.objects import (
    Body,
    Ref,
    containers,
    items,
    labels,
    mapping,
    ref_of,
    selects,
    strings,
    text,
    version_of,
)
from vrooli.kube.status import backends_of
from vrooli.operators import OPERATORS
from vrooli.operators.pgo.names import CLUSTER_LABEL

Edge = tuple[Ref, Ref]
DependencyGraph = Mapping[Ref, frozenset[Ref]]

WORKLOADS = ("Deployment", "StatefulSet", "Job")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*")


def dependencies(evidence: Evidence) -> DependencyGraph:
    """Each object with all its direct and indirect dependencies."""
    direct: dict[Ref, set[Ref]] = {}
    for upper, lower in _edges(evidence):
        if upper != lower:
            direct.setdefault(upper, set()).add(lower)
    return {ref: _reached(ref, direct) for ref in direct}


def _reached(ref: Ref, direct: Mapping[Ref, set[Ref]]) -> frozenset[Ref]:
    reached: set[Ref] = set()
    waiting = [ref]
    while waiting:
        for lower in direct.get(waiting.pop(), ()):
            if lower not in reached:
                reached.add(lower)
                waiting.append(lower)
    return frozenset(reached)


def _edges(evidence: Evidence) -> Iterator[Edge]:
    for kind in WORKLOADS:
        for body in evidence.all(kind, ""):
            yield from _of_workload(evidence, body)
    versions: set[tuple[Ref, str]] = set()
    for pod in evidence.all("Pod", ""):
        owner = evidence.owner(pod)
        yield ref_of(pod), owner
        version = (owner, version_of(pod))
        # All pods of a version have the same template.
        if not version[1] or version not in versions:
            versions.add(version)
            yield from _of_template(owner, pod)
        if node := text(pod, "spec", "nodeName"):
            yield owner, Ref("Node", node)
    yield from _of_services(evidence)
    yield from _of_routes(evidence)
    yield from _of_storage(evidence)
    yield from _of_vault(evidence)
    yield from _of_operators(evidence)


def _of_workload(evidence: Evidence, body: Body) -> Iterator[Edge]:
    ref = ref_of(body)
    template = mapping(body, "spec", "template")
    yield from _of_template(ref, {**template, "metadata": {**mapping(template, "metadata")}})
    for owner in items(body, "metadata", "ownerReferences"):
        above = Ref(text(owner, "kind"), text(owner, "name"), ref.namespace)
        yield from ((ref, above), (above, ref))
    if ref.namespace != evidence.namespace:
        return
    yield ref, DNS
    for policy in evidence.all("NetworkPolicy"):
        selector = mapping(policy, "spec", "podSelector", "matchLabels")
        if selects(selector, labels(template)):
            yield ref, ref_of(policy)
    named = {word.split(".")[0] for word in _hosts(evidence, ref.namespace, template)}
    for service in evidence.all("Service"):
        if ref_of(service).name in named:
            yield ref, ref_of(service)


def _hosts(evidence: Evidence, namespace: str, template: Body) -> Iterator[str]:
    """The host names in a workload's settings."""
    for container in containers(template):
        for value in strings(container.get("env")):
            yield from _HOST.findall(value)
        for source in items(container, "envFrom"):
            name = text(source, "configMapRef", "name")
            config_map = evidence.get(Ref("ConfigMap", name, namespace)) or {}
            for value in strings(mapping(config_map, "data")):
                yield from _HOST.findall(value)


def _of_template(owner: Ref, template: Body) -> Iterator[Edge]:
    """The Secrets, ConfigMaps, claims and service accounts that a pod needs to start."""
    place, spec = owner.namespace, mapping(template, "spec")
    if account := text(spec, "serviceAccountName"):
        yield owner, Ref("ServiceAccount", account, place)
    for secret in items(spec, "imagePullSecrets"):
        yield owner, Ref("Secret", text(secret, "name"), place)
    for reference in references.of_pod(spec):
        yield owner, Ref(reference.kind, reference.name, place)
    for volume in items(spec, "volumes"):
        claim = text(volume, "persistentVolumeClaim", "claimName")
        yield owner, Ref("PersistentVolumeClaim", claim, place)


def _of_services(evidence: Evidence) -> Iterator[Edge]:
    """A Service depends on the workloads that it selects, a scaler on metrics."""
    for service in evidence.all("Service", ""):
        ref, selector = ref_of(service), mapping(service, "spec", "selector")
        if selector:
            yield from (
                (ref, evidence.owner(pod)) for pod in evidence.pods(selector, ref.namespace)
            )
        # An operator's Service may have no pod yet, or no selector.
        for owner in items(service, "metadata", "ownerReferences"):
            yield ref, Ref(text(owner, "kind"), text(owner, "name"), ref.namespace)
    for scaler in evidence.all("HorizontalPodAutoscaler"):
        ref, target = ref_of(scaler), mapping(scaler, "spec", "scaleTargetRef")
        yield ref, Ref(text(target, "kind"), text(target, "name"), ref.namespace)
        yield ref, METRICS
        yield ref, Ref("APIService", "v1beta1.metrics.k8s.io")
    for served in evidence.all("APIService", ""):
        service = mapping(served, "spec", "service")
        if service:
            where = text(service, "namespace")
            yield ref_of(served), Ref("Service", text(service, "name"), where)
            body = evidence.get(Ref("Service", text(service, "name"), where)) or {}
            yield from (
                (ref_of(served), deployment) for deployment in deployments_behind(evidence, body)
            )


def _of_routes(evidence: Evidence) -> Iterator[Edge]:
    """An Ingress and an HTTPRoute depend on their Services and on their controller."""
    for route in (*evidence.all("Ingress"), *evidence.all("HTTPRoute")):
        ref = ref_of(route)
        yield from ((ref, controller) for controller in controllers(evidence, route))
        yield from ((ref, Ref("Service", name, ref.namespace)) for name in backends_of(route))
    for ingress in evidence.all("Ingress"):
        ref = ref_of(ingress)
        yield ref, Ref("IngressClass", text(ingress, "spec", "ingressClassName"))
        for entry in items(ingress, "spec", "tls"):
            yield ref, Ref("Secret", text(entry, "secretName"), ref.namespace)


def _of_storage(evidence: Evidence) -> Iterator[Edge]:
    for claim in evidence.all("PersistentVolumeClaim", ""):
        yield ref_of(claim), Ref("StorageClass", text(claim, "spec", "storageClassName"))


def _of_vault(evidence: Evidence) -> Iterator[Edge]:
    """A Secret depends on its VaultStaticSecret, that on its VaultAuth and VaultConnection.

    A published Secret depends on the rotator and on its source.
    """
    for item in rotation.publications(evidence):
        yield item.published, item.source
        yield item.published, item.rotator
    for body in evidence.all("VaultStaticSecret"):
        ref = ref_of(body)
        yield Ref("Secret", text(body, "spec", "destination", "name"), ref.namespace), ref
        yield ref, Ref("VaultAuth", text(body, "spec", "vaultAuthRef"), ref.namespace)
    for body in evidence.all("VaultAuth"):
        ref = ref_of(body)
        yield ref, Ref("VaultConnection", text(body, "spec", "vaultConnectionRef"), ref.namespace)
    for body in evidence.all("VaultConnection"):
        yield ref_of(body), DNS
        if (service := vault_service(body)) is not None:
            yield ref_of(body), service


def _of_operators(evidence: Evidence) -> Iterator[Edge]:
    for operator in OPERATORS:
        bodies = deployments(evidence, operator)
        for body in (body for kind in operator.kinds for body in evidence.all(kind)):
            yield from ((ref_of(body), ref_of(deployment)) for deployment in bodies)
    for body in evidence.all("RedisFailover"):
        ref = ref_of(body)
        yield ref, Ref("Secret", text(body, "spec", "auth", "secretPath"), ref.namespace)
    for body in evidence.all("Secret"):
        cluster = text(labels(body), CLUSTER_LABEL)
        if cluster:
            yield ref_of(body), Ref("PostgresCluster", cluster, ref_of(body).namespace)
    for claim in evidence.all("PersistentVolumeClaim"):
        for owner in items(claim, "metadata", "ownerReferences"):
            above = Ref(text(owner, "kind"), text(owner, "name"), ref_of(claim).namespace)
            yield above, ref_of(claim)
