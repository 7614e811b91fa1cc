"""A cluster at one moment, with the connections of its pods.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from vrooli.graph.live.proc_net import Socket
from vrooli.graph.relations import Endpoint
from vrooli.kube import objects
from vrooli.kube.objects import Body
from vrooli.kube.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class GraphSnapshot(Snapshot):
    """The objects of a release's namespace and of others, with the connections of pods.

    Attributes:
        sockets: The connections of inspected pods, by namespace and name.
        socket_errors: Why a pod could not be inspected, by namespace and name.
    """

    sockets: Mapping[tuple[str, str], tuple[Socket, ...]] = field(default_factory=dict)
    socket_errors: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        snapshot: Snapshot,
        sockets: Mapping[tuple[str, str], tuple[Socket, ...]] | None = None,
        socket_errors: Mapping[tuple[str, str], str] | None = None,
    ) -> Self:
        """The objects of a snapshot with the connections of pods."""
        return cls(
            namespace=snapshot.namespace,
            objects=snapshot.objects,
            events=snapshot.events,
            unavailable=snapshot.unavailable,
            places=snapshot.places,
            sockets=sockets or {},
            socket_errors=socket_errors or {},
        )

    def endpoint_pods(self, endpoint: Endpoint) -> list[Body]:
        """The active pods of an endpoint."""
        pods = self.active_pods(namespace=endpoint.namespace or self.namespace)
        return [pod for pod in pods if is_selected(pod, endpoint)]

    def addresses(self, endpoint: Endpoint) -> set[tuple[str, int]]:
        """The addresses and ports of an endpoint's pods and Services."""
        addresses = {
            (ip, port)
            for pod in self.endpoint_pods(endpoint)
            for ip in pod_ips(pod)
            for port in endpoint.ports
        }
        for name in endpoint.services:
            service = self.find("Service", name, endpoint.namespace or self.namespace)
            for ip in objects.texts(service, "spec", "clusterIPs"):
                for port in objects.items(service, "spec", "ports"):
                    addresses.add((str(ip), objects.number(port, "port")))
        return addresses


def is_selected(pod: Body, endpoint: Endpoint) -> bool:
    """Whether an endpoint selects a pod."""
    labels = objects.labels(pod)
    if not endpoint.labels or not dict(endpoint.labels).items() <= labels.items():
        return False
    return endpoint.roles is None or labels.get(endpoint.roles[0]) in endpoint.roles[1]


def pod_ips(pod: Body) -> Iterator[str]:
    """A pod's own addresses; a pod in the host network has none."""
    if objects.dig(pod, "spec", "hostNetwork"):
        return
    for item in objects.items(pod, "status", "podIPs"):
        if ip := objects.text(item, "ip"):
            yield ip
