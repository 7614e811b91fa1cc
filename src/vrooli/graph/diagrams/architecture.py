"""The first diagram: Overall System Architecture. No I/O here."""

from __future__ import annotations

from vrooli.graph import reading
from vrooli.graph.manifests import databases
from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.facts import Facts, calls
from vrooli.graph.model import Asks, Diagram, Group, Party, Passes, Reads, Reason, Sketch, Title

EXTERNAL, NAMESPACE = "External Access", "Vrooli Namespace"
SERVICES, DATA = "Application Services", "Data Layer (Operator Managed)"
SECRETS, CONFIGURATION = "Secrets Management", "Configuration"
GROUPS = (
    Group(EXTERNAL),
    Group(NAMESPACE),
    Group(SERVICES, NAMESPACE),
    Group(DATA, NAMESPACE),
    Group(SECRETS, NAMESPACE),
    Group(CONFIGURATION, NAMESPACE),
)


def diagram(facts: Facts) -> Diagram:
    """Who speaks with whom, and where secrets and settings come from."""
    sketch = Sketch("architecture", "Overall System Architecture", "TB", GROUPS)
    _ingress(sketch, facts)
    for component in facts.components:
        sketch.node(component.id, title(component), SERVICES, "service")
    _between_components(sketch, facts)
    for component in facts.components:
        _to_postgres(sketch, facts, component)
        _to_redis(sketch, facts, component)
    _secrets(sketch, facts)
    _configuration(sketch, facts)
    return sketch.done()


def title(component: Component) -> Title:
    """What stands in a component's box."""
    port = (f"Port: {component.port}",) if component.port else ()
    known: dict[str, Title] = {
        "ui": ("UI Service", "Node.js + serve package", *port),
        "server": ("Server Service", *port),
        "jobs": ("Jobs Service", "Background Processing"),
        "nsfw-detector": ("NSFW Detector", component.image),
        "adminer": ("Adminer", "DB Admin Tool"),
        "rotator": ("Rotator", "Publishes passwords"),
    }
    return known.get(component.name, (component.name, *port))


def _ingress(sketch: Sketch, facts: Facts) -> None:
    if not facts.routes:
        return
    sketch.node("Internet", ("Internet/Users",), EXTERNAL, "external")
    sketch.node("Ingress", ("Ingress Controller",), EXTERNAL, "external")
    for component in facts.components:
        reasons, ways = facts.entering(component)
        sketch.arrow("Ingress", component.id, reasons, *ways)
    passes = [
        way
        for item in facts.components
        for way in facts.entering(item)[1]
        if isinstance(way, Passes)
    ]
    by_ingress = {(way.ingress, way.class_name, way.namespaces): () for way in passes}
    for way in passes:
        by_ingress[way.ingress, way.class_name, way.namespaces] += way.targets  # type: ignore[assignment]
    reasons = tuple(
        Reason(
            item.key, "spec.ingressClassName", reading.text(item.body, "spec", "ingressClassName")
        )
        for item in facts.of_kind("Ingress")
    )
    ways = tuple(
        Passes(*key, targets=targets, entrance=True) for key, targets in by_ingress.items()
    )
    sketch.arrow("Internet", "Ingress", reasons, *ways)


def _between_components(sketch: Sketch, facts: Facts) -> None:
    for source in facts.components:
        for target in facts.components:
            if source is not target:
                reasons = facts.between(source, target.party)
                sketch.arrow(source.id, target.id, reasons, *calls(source, target.party))


def _to_postgres(sketch: Sketch, facts: Facts, component: Component) -> None:
    found = facts.postgres
    if found is not None:
        sketch.node("PGO", ("PostgreSQL Cluster", "CrunchyData PGO"), DATA, "data")
        for name in ("pool", "primary"):
            part = found.parts.get(name)
            sketch.arrow(
                component.id, "PGO", facts.between(component, part), *calls(component, part)
            )
    elif outside := facts.outside(component, "PostgreSQL"):
        _outside(sketch, facts, component, "PGO", outside)


def _to_redis(sketch: Sketch, facts: Facts, component: Component) -> None:
    found = facts.redis
    if found is not None:
        sketch.node("Redis", ("Redis Failover", "Spotahome Operator"), DATA, "data")
        sentinel = found.parts.get("sentinel")
        also = sentinel.party.services if sentinel else ()
        for name in ("master", "sentinel"):
            part = found.parts.get(name)
            reasons = facts.between(component, part, also)
            sketch.arrow(component.id, "Redis", reasons, *calls(component, part))
    elif outside := facts.outside(component, "Redis"):
        _outside(sketch, facts, component, "Redis", outside)


def _outside(sketch: Sketch, facts: Facts, component: Component, node: str, outside: Party) -> None:
    sketch.node(node, (*outside.title.split(" at "), "outside the cluster"), DATA, "data")
    sketch.arrow(component.id, node, facts.between(component, outside), *calls(component, outside))


def _secrets(sketch: Sketch, facts: Facts) -> None:
    sketch.node("K8sSecrets", ("Kubernetes Secrets",), SECRETS, "secrets")
    for item in facts.of_kind("VaultConnection"):
        address = reading.text(item.body, "spec", "address")
        sketch.node("Vault", ("HashiCorp Vault",), SECRETS, "secrets", store=True)
        sketch.node("VSO", ("Vault Secrets Operator",), SECRETS, "secrets")
        reason = Reason(item.key, "spec.address", address)
        sketch.arrow("Vault", "VSO", (reason,), Asks(address))
    for found in facts.vault_secrets:
        sketch.node("VSO", ("Vault Secrets Operator",), SECRETS, "secrets")
        sketch.arrow("VSO", "K8sSecrets", found.reasons, *found.ways)
    for component in facts.components:
        for name, reason in component.secrets.items():
            way = Reads("Secret", (name,), component.party)
            sketch.arrow("K8sSecrets", component.id, (reason,), way)
    for node, reader, name, reason in database_secrets(facts):
        sketch.arrow("K8sSecrets", node, (reason,), Reads("Secret", (name,), reader))


def database_secrets(facts: Facts) -> list[tuple[str, Party, str, Reason]]:
    """The Secrets that databases read: the diagrams' name of each, its pods, Secret and reason."""
    found: list[tuple[str, Party, str, Reason]] = []
    redis = facts.redis
    if redis and (name := reading.text(redis.manifest.body, "spec", "auth", "secretPath")):
        reader = Party("Redis", (("app.kubernetes.io/name", redis.name),))
        reason = Reason(redis.manifest.key, "spec.auth.secretPath", name)
        found.append(("Redis", reader, name, reason))
    if facts.postgres:
        label = f"{databases.PGO}/cluster"
        primary = facts.postgres.parts.get("primary")
        for item in facts.of_kind("Secret"):
            if primary and reading.labels_of(item.body).get(label) == facts.postgres.name:
                reason = Reason(item.key, f"metadata.labels.{label}", facts.postgres.name)
                found.append(("PGO", primary.party, item.name, reason))
    return found


def _configuration(sketch: Sketch, facts: Facts) -> None:
    sketch.node("ConfigMap", ("ConfigMap", "Non-sensitive config"), CONFIGURATION, "files")
    for component in facts.components:
        for name, reason in component.config_maps.items():
            way = Reads("ConfigMap", (name,), component.party)
            sketch.arrow("ConfigMap", component.id, (reason,), way)
