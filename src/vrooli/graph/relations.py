"""What an arrow represents in a cluster: the endpoints and the relations between them.

Frozen data and nothing else: no I/O, no Kubernetes objects. How the state of each relation is
determined belongs in graph.live.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """A set of pods, or a host outside the cluster: one end of a connection.

    Attributes:
        title: The name in messages.
        labels: The labels that select its pods.
        roles: A label key and its permitted values; a pod must have one of them.
        namespace: The namespace of the pods; empty for the release's own.
        workload: The kind and name of the workload, if the release names it.
        services: The Services that select it.
        ports: The ports that it listens on.
        host: The address outside the cluster; if it is set, only the ports are known beside it.
    """

    title: str
    labels: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, tuple[str, ...]] | None = None
    namespace: str = ""
    workload: tuple[str, str] | None = None
    services: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    host: str = ""


@dataclass(frozen=True)
class ConnectsTo:
    """The source opens connections to the target."""

    source: Endpoint
    target: Endpoint


@dataclass(frozen=True)
class RoutesTo:
    """An Ingress controller or a Gateway routes requests to the targets.

    Attributes:
        kind: Ingress or HTTPRoute.
        name: Its name.
        class_name: The IngressClass of an Ingress; empty for the default class.
        namespaces: The namespaces that may contain the controller's pods.
        targets: The backends.
        entrance: Whether it is the arrow from the internet to the controller.
    """

    kind: str
    name: str
    class_name: str
    namespaces: tuple[str, ...]
    targets: tuple[Endpoint, ...]
    entrance: bool = False


@dataclass(frozen=True)
class SyncsSecret:
    """The Vault Secrets Operator copies a secret from Vault to a Kubernetes Secret."""

    name: str
    secret: str
    refresh: str


@dataclass(frozen=True)
class Publishes:
    """The rotator writes a Secret for pods from the one that the Vault Secrets Operator fills."""

    source: str
    secret: str
    rotator: Endpoint


@dataclass(frozen=True)
class Authenticates:
    """A VaultAuth or VaultConnection, with which the operator reaches Vault and logs in."""

    kind: str
    name: str


@dataclass(frozen=True)
class QueriesVault:
    """The Vault Secrets Operator sends requests to Vault."""

    address: str


@dataclass(frozen=True)
class Mounts:
    """Pods read a Secret or a ConfigMap when they start.

    Attributes:
        kind: Secret or ConfigMap.
        names: The names of the objects.
        reader: The pods.
        pull: Whether it is only used to pull images.
    """

    kind: str
    names: tuple[str, ...]
    reader: Endpoint
    pull: bool = False


@dataclass(frozen=True)
class Owns:
    """An operator's resource, or a workload, owns these pods."""

    kind: str
    name: str
    part: Endpoint


Relation = (
    ConnectsTo | RoutesTo | SyncsSecret | Publishes | Authenticates | QueriesVault | Mounts | Owns
)
