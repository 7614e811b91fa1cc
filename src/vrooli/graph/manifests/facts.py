"""All that the pictures need to know of a release, read from its manifests once. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph import reading
from vrooli.graph.manifests import components, databases, evidence
from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.databases import Database, Part
from vrooli.graph.manifests.evidence import Route
from vrooli.graph.model import Calls, Party, Passes, Publishes, Reason, Syncs, Way

SYNCED = "VaultStaticSecret"
# The component that publishes the databases' passwords; its label.
ROTATOR = "rotator"
Publication = tuple[Publishes, tuple[Reason, ...]]
# Where the settings name a database that no operator runs.
HOSTS = {"DB_HOST": "DB_PORT"}
URLS = ("REDIS_URL",)


@dataclass(frozen=True)
class VaultSecret:
    """One VaultStaticSecret.

    Attributes:
        short: Its name without the release's, such as shared-config-all.
        path: The path that is read in Vault, as policies spell it: secret/data/….
        secret: The Kubernetes Secret that pods read: the one that it fills, or that the rotator
            publishes from it.
        manifest: The object.
        reasons: What says so.
        ways: What it does in the cluster, and the rotator after it.
    """

    short: str
    path: str
    secret: str
    manifest: Manifest
    reasons: tuple[Reason, ...]
    ways: tuple[Syncs | Publishes, ...]


@dataclass(frozen=True)
class Facts:
    """What a release is made of."""

    manifests: tuple[Manifest, ...]
    components: tuple[Component, ...]
    postgres: Database | None
    redis: Database | None
    vault_secrets: tuple[VaultSecret, ...]
    routes: tuple[Route, ...]

    def of_kind(self, kind: str) -> list[Manifest]:
        """Its objects of a kind, the test pods' left out."""
        return [item for item in self.manifests if item.kind == kind and not item.is_hook]

    def between(
        self, source: Component, part: Part | Party | None, also: tuple[str, ...] = ()
    ) -> tuple[Reason, ...]:
        """What supports an arrow from a component to a part of the release."""
        if part is None:
            return ()
        target = part.party if isinstance(part, Part) else part
        return evidence.between(source, target, self.manifests, also)

    def outside(self, source: Component, kind: str) -> Party | None:
        """The database outside the cluster that a component's settings name."""
        values = {item.name: item.value for item in source.settings}
        inside = {name for item in self.of_kind("Service") for name in (item.name,)}
        for name, value in values.items():
            ours = name in HOSTS if kind == "PostgreSQL" else name in URLS
            for host, port in reading.addresses(value) if ours else ():
                if host.partition(".")[0] not in inside:
                    port = port or int(values.get(HOSTS.get(name, ""), "0") or 0)  # noqa: PLW2901
                    return Party(f"{kind} at {host}", ports=(port,) if port else (), host=host)
        return None

    def entering(self, component: Component) -> tuple[tuple[Reason, ...], tuple[Way, ...]]:
        """The Ingress' paths that lead to a component, and what they are in the cluster."""
        found = [route for route in self.routes if route.service in component.party.services]
        namespaces = tuple(evidence.entering_namespaces(component.labels, self.manifests))
        ways = {
            Passes(route.ingress.name, route.class_name, namespaces, (component.party,)): None
            for route in found
        }
        return tuple(route.reason for route in found), tuple(ways)


def read(manifests: Iterable[Manifest]) -> Facts:
    """What a release's objects say."""
    known = tuple(manifests)
    own = components.read(known)
    published = {way.source: (way, reasons) for way, reasons in _publications(own)}
    return Facts(
        manifests=known,
        components=own,
        postgres=databases.postgres(known),
        redis=databases.redis(known),
        vault_secrets=tuple(
            _vault_secret(item, published) for item in known if item.kind == SYNCED
        ),
        routes=tuple(evidence.routes(known)),
    )


def calls(source: Component, *targets: Part | Party | None) -> tuple[Calls, ...]:
    """A component's calls to those of the targets that are there."""
    parties = [item.party if isinstance(item, Part) else item for item in targets if item]
    return tuple(Calls(source.party, party) for party in parties)


def _publications(own: Iterable[Component]) -> Iterator[Publication]:
    """What the rotator publishes from what, as its settings name them: A_SOURCE and A_SECRET."""
    for component in own:
        if component.name != ROTATOR:
            continue
        named = {item.name: item for item in component.settings}
        for name, source in named.items():
            secret = named.get(f"{name.removesuffix('_SOURCE')}_SECRET")
            if name.endswith("_SOURCE") and secret is not None:
                way = Publishes(source.value, secret.value, component.party)
                yield way, (source.reason, secret.reason)


def _vault_secret(found: Manifest, published: Mapping[str, Publication]) -> VaultSecret:
    spec = reading.mapping(found.body, "spec")
    mount, path = reading.text(spec, "mount"), reading.text(spec, "path")
    middle = "/data/" if reading.text(spec, "type") == "kv-v2" else "/"
    filled = reading.text(spec, "destination", "name")
    release = reading.labels_of(found.body).get("app.kubernetes.io/instance", "")
    short = found.name.removeprefix(f"{release}-") if release else found.name
    whole = f"{mount}{middle}{path}"
    sync = Syncs(found.name, filled, reading.text(spec, "refreshAfter"))
    reason = Reason(found.key, "spec.destination.name", filled)
    if filled not in published:
        return VaultSecret(short, whole, filled, found, (reason,), (sync,))
    way, reasons = published[filled]
    return VaultSecret(short, whole, way.secret, found, (reason, *reasons), (sync, way))
