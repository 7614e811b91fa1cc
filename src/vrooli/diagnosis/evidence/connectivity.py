"""The architecture's arrows between pods that were seen: who connects to whom. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.network_policies import NAMESPACE_NAME, End, Way
from vrooli.kube.objects import Body, Ref, items, labels, ref_of, text
from vrooli.kube.status import is_pod_ready

COMPONENT, INSTANCE = "app.kubernetes.io/component", "app.kubernetes.io/instance"
CLUSTER = "postgres-operator.crunchydata.com/cluster"
ROLE = "postgres-operator.crunchydata.com/role"
REDIS = "redisfailovers.databases.spotahome.com/name"
# What each component connects to, as the chart's own policies have it.
ARROWS: Mapping[str, tuple[str, ...]] = {
    "ui": ("server",),
    "server": ("pool", "redis", "sentinel"),
    "jobs": ("pool", "redis", "sentinel", "nsfw-detector"),
    "adminer": ("primary",),
}
PORTS = {
    "server": 5329,
    "nsfw-detector": 8000,
    "pool": 5432,
    "primary": 5432,
    "redis": 6379,
    "sentinel": 26379,
}


def ways(seen: Evidence) -> Iterator[tuple[Ref, Ref, Way]]:
    """Each arrow of the release, and the way to the DNS: from and to which workload, and how."""
    ends = _ends(seen)
    dns = seen.pods({"k8s-app": "kube-dns"}, "kube-system")
    for component, targets in ARROWS.items():
        source = ends.get(component)
        if source is None:
            continue
        start = _end(seen, source)
        if dns:
            yield seen.owner(source), seen.owner(dns[0]), Way(start, _end(seen, dns[0]), 53, "UDP")
        for name in targets:
            target = ends.get(name)
            if target is not None:
                way = Way(start, _end(seen, target), _port(target, name))
                yield seen.owner(source), seen.owner(target), way


def _ends(seen: Evidence) -> dict[str, Body]:
    """One pod of each end, by its name; a ready one where there is one."""
    found: dict[str, Body] = {}
    for _, pod in seen.current:
        name = _name(seen, labels(pod))
        if name and (name not in found or is_pod_ready(pod)):
            found[name] = pod
    return found


def _name(seen: Evidence, of: Mapping[str, str]) -> str:
    if text(of, INSTANCE) == seen.release:
        return text(of, COMPONENT)
    if CLUSTER in of:
        roles = {"pgbouncer": "pool", "master": "primary", "primary": "primary"}
        return roles.get(text(of, ROLE), "")
    if REDIS in of:
        return text(of, COMPONENT)
    return ""


def _port(pod: Body, name: str) -> int:
    """The port that its container calls http, else the usual one."""
    for container in items(pod, "spec", "containers"):
        for port in items(container, "ports"):
            number = port.get("containerPort")
            if port.get("name") == "http" and isinstance(number, int):
                return number
    return PORTS[name]


def _end(seen: Evidence, pod: Body) -> End:
    namespace = ref_of(pod).namespace
    body = seen.get(Ref("Namespace", namespace)) or {}
    return End(pod, {NAMESPACE_NAME: namespace, **labels(body)})
