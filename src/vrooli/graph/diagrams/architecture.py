"""The first diagram: Overall System Architecture. No I/O here."""

from __future__ import annotations

from dataclasses import replace

from vrooli.graph.builder import DiagramBuilder
from vrooli.graph.manifests.components import Component
from vrooli.graph.manifests.facts import Facts, connections_to
from vrooli.graph.model import Diagram, Group, Reason, Title
from vrooli.graph.relations import Endpoint, Mounts, QueriesVault, RoutesTo
from vrooli.kube import common_labels, objects
from vrooli.operators.pgo.names import CLUSTER_LABEL

EXTERNAL, NAMESPACE = "External Access", "Vrooli Namespace"
SERVICES, DATA = "Application Services", "Data Layer (Operator Managed)"
SECRETS, CONFIGURATION = "Secrets Management", "Configuration"
# What serves each kind of route.
CONTROLLERS = {"Ingress": "Ingress Controller", "HTTPRoute": "Gateway"}
GROUPS = (
    Group(EXTERNAL),
    Group(NAMESPACE),
    Group(SERVICES, NAMESPACE),
    Group(DATA, NAMESPACE),
    Group(SECRETS, NAMESPACE),
    Group(CONFIGURATION, NAMESPACE),
)


def build(facts: Facts) -> Diagram:
    """Connections between components, and the sources of secrets and settings."""
    builder = DiagramBuilder("architecture", "Overall System Architecture", "TB", GROUPS)
    _add_ingress(builder, facts)
    for component in facts.components:
        builder.add_node(component.id, component_title(component), SERVICES, "service")
    _add_component_arrows(builder, facts)
    for component in facts.components:
        _add_postgres_arrows(builder, facts, component)
        _add_redis_arrows(builder, facts, component)
    _add_secrets(builder, facts)
    _add_configuration(builder, facts)
    return builder.build()


def component_title(component: Component) -> Title:
    """The text in a component's box."""
    port = (f"Port: {component.port}",) if component.port else ()
    titles: dict[str, Title] = {
        "ui": ("UI Service", "Node.js + serve package", *port),
        "server": ("Server Service", *port),
        "jobs": ("Jobs Service", "Background Processing"),
        "nsfw-detector": ("NSFW Detector", component.image),
        "adminer": ("Adminer", "DB Admin Tool"),
        "rotator": ("Rotator", "Publishes passwords"),
    }
    return titles.get(component.name, (component.name, *port))


def _add_ingress(builder: DiagramBuilder, facts: Facts) -> None:
    if not facts.routes:
        return
    builder.add_node("Internet", ("Internet/Users",), EXTERNAL, "external")
    kinds = {route.manifest.kind for route in facts.routes}
    title = tuple(text for kind, text in CONTROLLERS.items() if kind in kinds)
    builder.add_node("Ingress", title, EXTERNAL, "external")
    by_route: dict[RoutesTo, tuple[Endpoint, ...]] = {}
    for component in facts.components:
        reasons, relations = facts.route_arrows(component)
        builder.add_arrow("Ingress", component.id, reasons, *relations)
        for relation in relations:
            key = replace(relation, targets=(), entrance=True)
            by_route[key] = (*by_route.get(key, ()), *relation.targets)
    entrances = tuple(replace(key, targets=targets) for key, targets in by_route.items())
    builder.add_arrow("Internet", "Ingress", _entrance_reasons(facts), *entrances)


def _entrance_reasons(facts: Facts) -> tuple[Reason, ...]:
    """The class of each Ingress, and the Gateways of each HTTPRoute."""
    classes = (
        Reason(
            item.key, "spec.ingressClassName", objects.text(item.body, "spec", "ingressClassName")
        )
        for item in facts.of_kind("Ingress")
    )
    gateways = (
        Reason(
            item.key,
            "spec.parentRefs",
            ", ".join(
                objects.text(ref, "name") for ref in objects.items(item.body, "spec", "parentRefs")
            ),
        )
        for item in facts.of_kind("HTTPRoute")
    )
    return (*classes, *gateways)


def _add_component_arrows(builder: DiagramBuilder, facts: Facts) -> None:
    for source in facts.components:
        for target in facts.components:
            if source is not target:
                reasons = facts.reasons_between(source, target.endpoint)
                builder.add_arrow(
                    source.id, target.id, reasons, *connections_to(source, target.endpoint)
                )


def _add_postgres_arrows(builder: DiagramBuilder, facts: Facts, component: Component) -> None:
    database = facts.postgres
    if database is not None:
        builder.add_node("PGO", ("PostgreSQL Cluster", "CrunchyData PGO"), DATA, "data")
        for name in ("pool", "primary"):
            part = database.parts.get(name)
            builder.add_arrow(
                component.id,
                "PGO",
                facts.reasons_between(component, part),
                *connections_to(component, part),
            )
    elif external := facts.external_database(component, "PostgreSQL"):
        _add_external_database(builder, facts, component, "PGO", external)


def _add_redis_arrows(builder: DiagramBuilder, facts: Facts, component: Component) -> None:
    database = facts.redis
    if database is not None:
        builder.add_node("Redis", ("Redis Failover", "Spotahome Operator"), DATA, "data")
        sentinel = database.parts.get("sentinel")
        aliases = sentinel.endpoint.services if sentinel else ()
        for name in ("master", "sentinel"):
            part = database.parts.get(name)
            reasons = facts.reasons_between(component, part, aliases)
            builder.add_arrow(component.id, "Redis", reasons, *connections_to(component, part))
    elif external := facts.external_database(component, "Redis"):
        _add_external_database(builder, facts, component, "Redis", external)


def _add_external_database(
    builder: DiagramBuilder, facts: Facts, component: Component, node: str, endpoint: Endpoint
) -> None:
    builder.add_node(node, (*endpoint.title.split(" at "), "outside the cluster"), DATA, "data")
    builder.add_arrow(
        component.id,
        node,
        facts.reasons_between(component, endpoint),
        *connections_to(component, endpoint),
    )


def _add_secrets(builder: DiagramBuilder, facts: Facts) -> None:
    builder.add_node("K8sSecrets", ("Kubernetes Secrets",), SECRETS, "secrets")
    for item in facts.of_kind("VaultConnection"):
        address = objects.text(item.body, "spec", "address")
        builder.add_node("Vault", ("HashiCorp Vault",), SECRETS, "secrets", store=True)
        builder.add_node("VSO", ("Vault Secrets Operator",), SECRETS, "secrets")
        reason = Reason(item.key, "spec.address", address)
        builder.add_arrow("Vault", "VSO", (reason,), QueriesVault(address))
    for vault_secret in facts.vault_secrets:
        builder.add_node("VSO", ("Vault Secrets Operator",), SECRETS, "secrets")
        builder.add_arrow("VSO", "K8sSecrets", vault_secret.reasons, *vault_secret.relations)
    for component in facts.components:
        for name, reason in component.secrets.items():
            relation = Mounts("Secret", (name,), component.endpoint)
            builder.add_arrow("K8sSecrets", component.id, (reason,), relation)
    for node, reader, name, reason in database_secrets(facts):
        builder.add_arrow("K8sSecrets", node, (reason,), Mounts("Secret", (name,), reader))


def database_secrets(facts: Facts) -> list[tuple[str, Endpoint, str, Reason]]:
    """The Secrets that databases read: node id, pods, Secret and reason of each."""
    secrets: list[tuple[str, Endpoint, str, Reason]] = []
    redis = facts.redis
    if redis and (name := objects.text(redis.manifest.body, "spec", "auth", "secretPath")):
        reader = Endpoint("Redis", ((common_labels.NAME, redis.name),))
        reason = Reason(redis.manifest.key, "spec.auth.secretPath", name)
        secrets.append(("Redis", reader, name, reason))
    if facts.postgres:
        label = CLUSTER_LABEL
        primary = facts.postgres.parts.get("primary")
        for item in facts.of_kind("Secret"):
            if primary and objects.labels(item.body).get(label) == facts.postgres.name:
                reason = Reason(item.key, f"metadata.labels.{label}", facts.postgres.name)
                secrets.append(("PGO", primary.endpoint, item.name, reason))
    return secrets


def _add_configuration(builder: DiagramBuilder, facts: Facts) -> None:
    builder.add_node("ConfigMap", ("ConfigMap", "Non-sensitive config"), CONFIGURATION, "files")
    for component in facts.components:
        for name, reason in component.config_maps.items():
            relation = Mounts("ConfigMap", (name,), component.endpoint)
            builder.add_arrow("ConfigMap", component.id, (reason,), relation)
