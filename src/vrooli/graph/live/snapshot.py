"""What was seen of a cluster: objects by kind, connections of pods, and what couldn't be seen.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vrooli.graph import reading
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.reading import Body
from vrooli.graph.relations import Endpoint

# A kind in a namespace; cluster-wide kinds have an empty one.
ResourceKey = tuple[str, str]


@dataclass(frozen=True)
class GraphSnapshot:
    """All that is known of a cluster at one moment.

    Attributes:
        namespace: The release's.
        objects: Each object, by kind and namespace, and its name.
        list_errors: Why a kind couldn't be read, by kind and namespace.
        sockets: The connections of the pods that could be asked, by namespace and name.
        socket_errors: Why a pod couldn't be asked, by namespace and name.
    """

    namespace: str
    objects: Mapping[ResourceKey, Mapping[str, Body]] = field(default_factory=dict)
    list_errors: Mapping[ResourceKey, str] = field(default_factory=dict)
    sockets: Mapping[tuple[str, str], tuple[Socket, ...]] = field(default_factory=dict)
    socket_errors: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def all(self, kind: str, namespace: str | None = None) -> list[Body]:
        """The objects of a kind, in the release's namespace or another."""
        key = (kind, self.namespace if namespace is None else namespace)
        return list(self.objects.get(key, {}).values())

    def get(self, kind: str, name: str, namespace: str | None = None) -> Body | None:
        """One object."""
        key = (kind, self.namespace if namespace is None else namespace)
        return self.objects.get(key, {}).get(name)

    def list_error(self, kind: str, namespace: str | None = None) -> str:
        """Why a kind couldn't be read; empty when it could."""
        return self.list_errors.get((kind, self.namespace if namespace is None else namespace), "")

    def pods(self, endpoint: Endpoint) -> list[Body]:
        """A party's pods that aren't going away and haven't ended."""
        namespace = endpoint.namespace or self.namespace
        return [
            pod
            for pod in self.all("Pod", namespace)
            if is_selected(pod, endpoint) and _is_current(pod)
        ]

    def addresses(self, endpoint: Endpoint) -> set[tuple[str, int]]:
        """Where a party is reached: its pods' addresses and its Services', with their ports."""
        addresses = {
            (ip, port)
            for pod in self.pods(endpoint)
            for ip in pod_ips(pod)
            for port in endpoint.ports
        }
        for name in endpoint.services:
            service = self.get("Service", name, endpoint.namespace or self.namespace)
            for ip in reading.items(service, "spec", "clusterIPs"):
                for port in reading.items(service, "spec", "ports"):
                    addresses.add((str(ip), reading.number(port, "port")))
        return addresses


def is_selected(pod: Body, endpoint: Endpoint) -> bool:
    """Whether a pod is a party's, by its labels."""
    labels = reading.labels_of(pod)
    if not endpoint.labels or not dict(endpoint.labels).items() <= labels.items():
        return False
    return endpoint.roles is None or labels.get(endpoint.roles[0]) in endpoint.roles[1]


def pod_ips(pod: Body) -> Iterator[str]:
    """A pod's own addresses; one in the host's network has none."""
    if reading.at(pod, "spec", "hostNetwork"):
        return
    for item in reading.items(pod, "status", "podIPs"):
        if ip := reading.text(item, "ip"):
            yield ip


def _is_current(pod: Body) -> bool:
    ended = reading.text(pod, "status", "phase") in ("Succeeded", "Failed")
    return not ended and not reading.at(pod, "metadata", "deletionTimestamp")
