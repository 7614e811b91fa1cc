"""The third diagram: Secrets Management Flow. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.graph.builder import DiagramBuilder
from vrooli.graph.diagrams.architecture import database_secrets
from vrooli.graph.manifests import components
from vrooli.graph.manifests.facts import Facts, VaultSecret
from vrooli.graph.model import Diagram, Group, Reason, Title
from vrooli.graph.relations import Authenticates, Endpoint, Mounts
from vrooli.kube import objects

VAULT, PATHS, CLUSTER = "HashiCorp Vault", "Secret Paths", "Kubernetes Cluster"
OPERATOR, SECRETS, PODS = "Vault Secrets Operator", "Kubernetes Secrets", "Application Pods"
GROUPS = (
    Group(VAULT),
    Group(PATHS, VAULT),
    Group(CLUSTER),
    Group(OPERATOR, CLUSTER),
    Group(SECRETS, CLUSTER),
    Group(PODS, CLUSTER),
)


@dataclass(frozen=True)
class SecretTitles:
    """The titles of one secret in the diagram.

    Attributes:
        number: Its number in VaultSecret1 and K8sSecret1.
        path: The id of its path.
        in_vault: The description of the path.
        in_kubernetes: The description of the Secret.
    """

    number: int
    path: str
    in_vault: str
    in_kubernetes: str


# By the name of the VaultStaticSecret, without the release's.
TITLES = {
    "shared-config-all": SecretTitles(
        1, "SharedConfig", "Non-sensitive configuration", "ConfigMap alternative"
    ),
    "shared-secrets-server-jobs": SecretTitles(
        2, "SharedSecrets", "Sensitive server/jobs secrets", "Server/Jobs secrets"
    ),
    "postgres": SecretTitles(3, "PostgresSecrets", "Database credentials", "DB access"),
    "redis": SecretTitles(4, "RedisSecrets", "Redis credentials", "Cache access"),
    "dockerhub-pull-secret": SecretTitles(
        5, "DockerSecrets", "Image pull secrets", "Image pull secret"
    ),
}
PULL_LABEL = "ImagePullSecret"


def build(facts: Facts) -> Diagram:
    """From a path in Vault to the pods that read it."""
    builder = DiagramBuilder("secrets", "Secrets Management Flow", "TD", GROUPS)
    titles_by_name = dict(_titles_by_name(facts))
    paths: dict[str, str] = {}
    secrets: dict[str, str] = {}
    if facts.vault_secrets:
        builder.add_node("VaultServer", ("Vault Server",), VAULT, "secrets")
    for vault_secret in sorted(
        facts.vault_secrets, key=lambda item: titles_by_name[item.manifest.name].number
    ):
        titles = titles_by_name[vault_secret.manifest.name]
        path = paths.setdefault(vault_secret.path, titles.path)
        secret = secrets.setdefault(vault_secret.secret, f"K8sSecret{titles.number}")
        _add_vault_secret(builder, vault_secret, titles, path, secret)
    for kind in ("VaultAuth", "VaultConnection"):
        _add_vault_connections(builder, facts, kind)
    _add_readers(builder, facts, secrets)
    return builder.build()


def _titles_by_name(facts: Facts) -> Iterator[tuple[str, SecretTitles]]:
    """The titles of each VaultStaticSecret; unknown ones get the next numbers."""
    number = len(TITLES)
    for vault_secret in facts.vault_secrets:
        titles = TITLES.get(vault_secret.short)
        if titles is None:
            number += 1
            titles = SecretTitles(
                number, f"{components.camel_case(vault_secret.short)}Path", "", ""
            )
        yield vault_secret.manifest.name, titles


def _add_vault_secret(
    builder: DiagramBuilder, vault_secret: VaultSecret, titles: SecretTitles, path: str, secret: str
) -> None:
    key, custom = vault_secret.manifest.key, f"VaultSecret{titles.number}"
    builder.add_node(path, _title(vault_secret.path, titles.in_vault), PATHS, "secrets")
    builder.add_node(
        custom, (f"{vault_secret.manifest.kind} CR", vault_secret.short), OPERATOR, "operator"
    )
    builder.add_node(secret, _title(vault_secret.secret, titles.in_kubernetes), SECRETS, "data")
    path_reason = Reason(key, "spec.path", vault_secret.path)
    sync, *_ = vault_secret.relations
    builder.add_arrow("VaultServer", path, (path_reason,), sync)
    builder.add_arrow(path, custom, (path_reason,), sync)
    builder.add_arrow(custom, secret, vault_secret.reasons, *vault_secret.relations)


def _title(first: str, second: str) -> Title:
    return (first, second) if second else (first,)


def _add_vault_connections(builder: DiagramBuilder, facts: Facts, kind: str) -> None:
    """VaultAuth and VaultConnection: how the operator reaches Vault and logs in."""
    description, field = {
        "VaultAuth": ("K8s authentication", "spec.vaultConnectionRef"),
        "VaultConnection": ("Vault endpoint config", "spec.address"),
    }[kind]
    for item in facts.of_kind(kind):
        builder.add_node(kind, (f"{kind} CR", description), OPERATOR, "operator")
        value = objects.text(item.body, *field.split("."))
        relation = Authenticates(kind, item.name)
        builder.add_arrow(kind, "VaultServer", (Reason(item.key, field, value),), relation)


def _add_readers(builder: DiagramBuilder, facts: Facts, secrets: dict[str, str]) -> None:
    """The pods that read each Secret, or pull images with it."""
    read_secrets = {name for item in facts.components for name in item.secrets if name in secrets}
    for component in facts.components:
        mounted = [name for name in component.secrets if name in secrets]
        pulled = [name for name in component.pull_secrets if name in secrets]
        if not mounted and not pulled:
            continue
        title = component.id if component.id in components.IDS.values() else component.name
        access = _format_access([short_name(facts, name) for name in mounted], len(read_secrets))
        pod = builder.add_node(f"{component.id}Pod", (f"{title} Pod", *access), PODS, "service")
        for name in mounted:
            relation = Mounts("Secret", (name,), component.endpoint)
            builder.add_arrow(secrets[name], pod, (component.secrets[name],), relation)
        for name in pulled:
            relation = Mounts("Secret", (name,), component.endpoint, pull=True)
            reasons = (component.pull_secrets[name],)
            builder.add_arrow(secrets[name], pod, reasons, relation, label=PULL_LABEL, dashed=True)
    _add_database_readers(builder, facts, secrets)


def _add_database_readers(builder: DiagramBuilder, facts: Facts, secrets: dict[str, str]) -> None:
    titles = {"PGO": "PostgreSQL Pods", "Redis": "Redis Pods"}
    for node, reader, name, reason in database_secrets(facts):
        if name in secrets:
            pod = builder.add_node(f"{node}Pod", (titles[node],), PODS, "service")
            builder.add_arrow(secrets[name], pod, (reason,), Mounts("Secret", (name,), reader))
    for node, database, paths in (
        ("PGO", facts.postgres, (("spec", "imagePullSecrets"),)),
        (
            "Redis",
            facts.redis,
            (("spec", "redis", "imagePullSecrets"), ("spec", "sentinel", "imagePullSecrets")),
        ),
    ):
        if database is None:
            continue
        label = next(iter(database.parts.values())).endpoint.labels[:1] if database.parts else ()
        for path in paths:
            for name, reason in components.pull_secrets(
                database.manifest.key, database.manifest.body, *path
            ):
                if name in secrets:
                    pod = builder.add_node(f"{node}Pod", (titles[node],), PODS, "service")
                    relation = Mounts("Secret", (name,), Endpoint(titles[node], label), pull=True)
                    builder.add_arrow(
                        secrets[name], pod, (reason,), relation, label=PULL_LABEL, dashed=True
                    )


def short_name(facts: Facts, secret: str) -> str:
    """The name of a Secret in the titles of pods."""
    return next((item.short for item in facts.vault_secrets if item.secret == secret), secret)


def _format_access(names: list[str], total: int) -> Title:
    if not names:
        return ()
    if len(names) == total and len(names) > 1:
        return ("Access: all secrets",)
    return (f"Access: {', '.join(names)}",)
