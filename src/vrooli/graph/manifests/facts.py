"""All facts of a release that the diagrams need, derived from its manifests once. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph.addresses import parse_addresses
from vrooli.graph.manifests import components, databases, evidence
from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.databases import Database, Part
from vrooli.graph.manifests.evidence import Route
from vrooli.graph.model import Reason
from vrooli.graph.relations import ConnectsTo, Endpoint, Publishes, RoutesTo, SyncsSecret
from vrooli.kube import objects
from vrooli.kube.network_policies import admitted_namespaces
from vrooli.operators.vso import names as vso

VAULT_STATIC_SECRET = "VaultStaticSecret"  # noqa: S105 - a kind
# The component label of the rotator, which publishes the passwords of the databases.
ROTATOR = "rotator"
Publication = tuple[Publishes, tuple[Reason, ...]]
# Settings that name a database outside the cluster.
PORT_BY_HOST_SETTING = {"DB_HOST": "DB_PORT"}
URL_SETTINGS = ("REDIS_URL",)


@dataclass(frozen=True)
class VaultSecret:
    """One VaultStaticSecret.

    Attributes:
        short: Its name without the release's, such as shared-config-all.
        path: The path in Vault as in policies: secret/data/….
        secret: The Kubernetes Secret that pods read: its destination, or the one that the
            rotator publishes from it.
        manifest: The object.
        reasons: The fields that define it.
        relations: Its synchronization, and the rotator's publication if there is one.
    """

    short: str
    path: str
    secret: str
    manifest: Manifest
    reasons: tuple[Reason, ...]
    relations: tuple[SyncsSecret | Publishes, ...]


@dataclass(frozen=True)
class Facts:
    """The objects of a release, grouped for the diagrams."""

    manifests: tuple[Manifest, ...]
    components: tuple[Component, ...]
    postgres: Database | None
    redis: Database | None
    vault_secrets: tuple[VaultSecret, ...]
    routes: tuple[Route, ...]

    def of_kind(self, kind: str) -> list[Manifest]:
        """Its objects of a kind, without hooks."""
        return [item for item in self.manifests if item.kind == kind and not item.is_hook]

    def reasons_between(
        self, source: Component, part: Part | Endpoint | None, aliases: tuple[str, ...] = ()
    ) -> tuple[Reason, ...]:
        """The reasons for an arrow from a component to a part of the release."""
        if part is None:
            return ()
        target = part.endpoint if isinstance(part, Part) else part
        return evidence.connection_reasons(source, target, self.manifests, aliases)

    def external_database(self, source: Component, kind: str) -> Endpoint | None:
        """The external database that a component's settings name, or None."""
        values = {item.name: item.value for item in source.settings}
        inside = {name for item in self.of_kind("Service") for name in (item.name,)}
        for name, value in values.items():
            is_relevant = (
                name in PORT_BY_HOST_SETTING if kind == "PostgreSQL" else name in URL_SETTINGS
            )
            for host, port in parse_addresses(value) if is_relevant else ():
                if host.partition(".")[0] not in inside:
                    port = port or int(values.get(PORT_BY_HOST_SETTING.get(name, ""), "0") or 0)  # noqa: PLW2901
                    return Endpoint(f"{kind} at {host}", ports=(port,) if port else (), host=host)
        return None

    def route_arrows(self, component: Component) -> tuple[tuple[Reason, ...], tuple[RoutesTo, ...]]:
        """The paths of Ingresses and HTTPRoutes to a component, and their relations."""
        routes = [route for route in self.routes if route.service in component.endpoint.services]
        policies = (item.body for item in self.manifests if item.kind == "NetworkPolicy")
        namespaces = tuple(admitted_namespaces(policies, component.labels) or ())
        relations = {
            RoutesTo(
                route.manifest.kind,
                route.manifest.name,
                route.class_name,
                namespaces,
                (component.endpoint,),
            ): None
            for route in routes
        }
        return tuple(route.reason for route in routes), tuple(relations)


def build_facts(manifests: Iterable[Manifest]) -> Facts:
    """The facts of a release's objects."""
    objects = tuple(manifests)
    own_components = components.find_components(objects)
    published = {
        relation.source: (relation, reasons) for relation, reasons in _publications(own_components)
    }
    return Facts(
        manifests=objects,
        components=own_components,
        postgres=databases.find_postgres(objects),
        redis=databases.find_redis(objects),
        vault_secrets=tuple(
            _vault_secret(item, published) for item in objects if item.kind == VAULT_STATIC_SECRET
        ),
        routes=tuple(evidence.find_routes(objects)),
    )


def connections_to(source: Component, *targets: Part | Endpoint | None) -> tuple[ConnectsTo, ...]:
    """The connections of a component to those targets that exist."""
    endpoints = [item.endpoint if isinstance(item, Part) else item for item in targets if item]
    return tuple(ConnectsTo(source.endpoint, endpoint) for endpoint in endpoints)


def _publications(own: Iterable[Component]) -> Iterator[Publication]:
    """The rotator's publications, from its settings <NAME>_SOURCE and <NAME>_SECRET."""
    for component in own:
        if component.name != ROTATOR:
            continue
        settings = {item.name: item for item in component.settings}
        for name, source in settings.items():
            secret = settings.get(f"{name.removesuffix('_SOURCE')}_SECRET")
            if name.endswith("_SOURCE") and secret is not None:
                relation = Publishes(source.value, secret.value, component.endpoint)
                yield relation, (source.reason, secret.reason)


def _vault_secret(manifest: Manifest, published: Mapping[str, Publication]) -> VaultSecret:
    spec = objects.mapping(manifest.body, "spec")
    mount, path = objects.text(spec, "mount"), objects.text(spec, "path")
    separator = "/data/" if objects.text(spec, "type") == "kv-v2" else "/"
    destination = objects.text(spec, "destination", "name")
    short = vso.short_name(manifest.body)
    full_path = f"{mount}{separator}{path}"
    sync = SyncsSecret(manifest.name, destination, objects.text(spec, "refreshAfter"))
    reason = Reason(manifest.key, "spec.destination.name", destination)
    if destination not in published:
        return VaultSecret(short, full_path, destination, manifest, (reason,), (sync,))
    publication, reasons = published[destination]
    return VaultSecret(
        short, full_path, publication.secret, manifest, (reason, *reasons), (sync, publication)
    )
