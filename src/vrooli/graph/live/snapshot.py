"""What was seen of a cluster: objects by kind, connections of pods, and what couldn't be seen.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vrooli.graph import reading
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.model import Party
from vrooli.graph.reading import Body

# A kind in a namespace; cluster-wide kinds have an empty one.
Place = tuple[str, str]


@dataclass(frozen=True)
class Sight:
    """All that is known of a cluster at one moment.

    Attributes:
        namespace: The release's.
        objects: Each object, by kind and namespace, and its name.
        refused: Why a kind couldn't be read, by kind and namespace.
        sockets: The connections of the pods that could be asked, by namespace and name.
        mute: Why a pod couldn't be asked, by namespace and name.
    """

    namespace: str
    objects: Mapping[Place, Mapping[str, Body]] = field(default_factory=dict)
    refused: Mapping[Place, str] = field(default_factory=dict)
    sockets: Mapping[tuple[str, str], tuple[Socket, ...]] = field(default_factory=dict)
    mute: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def all(self, kind: str, namespace: str | None = None) -> list[Body]:
        """The objects of a kind, in the release's namespace or another."""
        place = (kind, self.namespace if namespace is None else namespace)
        return list(self.objects.get(place, {}).values())

    def get(self, kind: str, name: str, namespace: str | None = None) -> Body | None:
        """One object."""
        place = (kind, self.namespace if namespace is None else namespace)
        return self.objects.get(place, {}).get(name)

    def refusal(self, kind: str, namespace: str | None = None) -> str:
        """Why a kind couldn't be read; empty when it could."""
        return self.refused.get((kind, self.namespace if namespace is None else namespace), "")

    def pods(self, party: Party) -> list[Body]:
        """A party's pods that aren't going away and haven't ended."""
        namespace = party.namespace or self.namespace
        return [pod for pod in self.all("Pod", namespace) if belongs(pod, party) and _lasts(pod)]

    def addresses(self, party: Party) -> set[tuple[str, int]]:
        """Where a party is reached: its pods' addresses and its Services', with their ports."""
        found = {(ip, port) for pod in self.pods(party) for ip in ips(pod) for port in party.ports}
        for name in party.services:
            service = self.get("Service", name, party.namespace or self.namespace)
            for ip in reading.items(service, "spec", "clusterIPs"):
                for port in reading.items(service, "spec", "ports"):
                    found.add((str(ip), reading.number(port, "port")))
        return found


def belongs(pod: Body, party: Party) -> bool:
    """Whether a pod is a party's, by its labels."""
    labels = reading.labels_of(pod)
    if not party.labels or not dict(party.labels).items() <= labels.items():
        return False
    return party.roles is None or labels.get(party.roles[0]) in party.roles[1]


def ips(pod: Body) -> Iterator[str]:
    """A pod's own addresses; one in the host's network has none."""
    if reading.at(pod, "spec", "hostNetwork"):
        return
    for item in reading.items(pod, "status", "podIPs"):
        if ip := reading.text(item, "ip"):
            yield ip


def _lasts(pod: Body) -> bool:
    ended = reading.text(pod, "status", "phase") in ("Succeeded", "Failed")
    return not ended and not reading.at(pod, "metadata", "deletionTimestamp")
