"""The third diagram: Secrets Management Flow. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.graph import reading
from vrooli.graph.diagrams.architecture import database_secrets
from vrooli.graph.manifests import components
from vrooli.graph.manifests.facts import Facts, VaultSecret
from vrooli.graph.model import Diagram, Group, Party, Reads, Reason, Sketch, Title, Trusts

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
class Known:
    """One of the five secrets, as the diagram calls it.

    Attributes:
        number: Its number in VaultSecret1 and K8sSecret1.
        path: The id of its path.
        in_vault: What is said of the path.
        in_kubernetes: What is said of the Secret.
    """

    number: int
    path: str
    in_vault: str
    in_kubernetes: str


# By the name of the VaultStaticSecret, without the release's.
KNOWN = {
    "shared-config-all": Known(
        1, "SharedConfig", "Non-sensitive configuration", "ConfigMap alternative"
    ),
    "shared-secrets-server-jobs": Known(
        2, "SharedSecrets", "Sensitive server/jobs secrets", "Server/Jobs secrets"
    ),
    "postgres": Known(3, "PostgresSecrets", "Database credentials", "DB access"),
    "redis": Known(4, "RedisSecrets", "Redis credentials", "Cache access"),
    "dockerhub-pull-secret": Known(5, "DockerSecrets", "Image pull secrets", "Image pull secret"),
}
PULLED = "ImagePullSecret"


def diagram(facts: Facts) -> Diagram:
    """From a path in Vault to the pods that read it."""
    sketch = Sketch("secrets", "Secrets Management Flow", "TD", GROUPS)
    named = dict(_named(facts))
    paths: dict[str, str] = {}
    secrets: dict[str, str] = {}
    if facts.vault_secrets:
        sketch.node("VaultServer", ("Vault Server",), VAULT, "secrets")
    for found in sorted(facts.vault_secrets, key=lambda item: named[item.manifest.name].number):
        known = named[found.manifest.name]
        path = paths.setdefault(found.path, known.path)
        secret = secrets.setdefault(found.secret, f"K8sSecret{known.number}")
        _one(sketch, found, known, path, secret)
    for kind in ("VaultAuth", "VaultConnection"):
        _trusted(sketch, facts, kind)
    _read(sketch, facts, secrets)
    return sketch.done()


def _named(facts: Facts) -> Iterator[tuple[str, Known]]:
    """How the diagram calls each VaultStaticSecret: the five as it does, others numbered on."""
    number = len(KNOWN)
    for found in facts.vault_secrets:
        known = KNOWN.get(found.short)
        if known is None:
            number += 1
            known = Known(number, f"{components.camel(found.short)}Path", "", "")
        yield found.manifest.name, known


def _one(sketch: Sketch, found: VaultSecret, known: Known, path: str, secret: str) -> None:
    key, custom = found.manifest.key, f"VaultSecret{known.number}"
    sketch.node(path, _title(found.path, known.in_vault), PATHS, "secrets")
    sketch.node(custom, (f"{found.manifest.kind} CR", found.short), OPERATOR, "operator")
    sketch.node(secret, _title(found.secret, known.in_kubernetes), SECRETS, "data")
    read = Reason(key, "spec.path", found.path)
    sync, *_ = found.ways
    sketch.arrow("VaultServer", path, (read,), sync)
    sketch.arrow(path, custom, (read,), sync)
    sketch.arrow(custom, secret, found.reasons, *found.ways)


def _title(first: str, second: str) -> Title:
    return (first, second) if second else (first,)


def _trusted(sketch: Sketch, facts: Facts, kind: str) -> None:
    """VaultAuth and VaultConnection: how the operator finds Vault, and proves who it is."""
    said, place = {
        "VaultAuth": ("K8s authentication", "spec.vaultConnectionRef"),
        "VaultConnection": ("Vault endpoint config", "spec.address"),
    }[kind]
    for item in facts.of_kind(kind):
        sketch.node(kind, (f"{kind} CR", said), OPERATOR, "operator")
        value = reading.text(item.body, *place.split("."))
        way = Trusts(kind, item.name)
        sketch.arrow(kind, "VaultServer", (Reason(item.key, place, value),), way)


def _read(sketch: Sketch, facts: Facts, secrets: dict[str, str]) -> None:
    """Who reads each Secret, and who pulls images with it."""
    given = {name for item in facts.components for name in item.secrets if name in secrets}
    for component in facts.components:
        read = [name for name in component.secrets if name in secrets]
        pulled = [name for name in component.pulls if name in secrets]
        if not read and not pulled:
            continue
        title = component.id if component.id in components.IDS.values() else component.name
        access = _access([short_of(facts, name) for name in read], len(given))
        pod = sketch.node(f"{component.id}Pod", (f"{title} Pod", *access), PODS, "service")
        for name in read:
            way = Reads("Secret", (name,), component.party)
            sketch.arrow(secrets[name], pod, (component.secrets[name],), way)
        for name in pulled:
            way = Reads("Secret", (name,), component.party, pull=True)
            reasons = (component.pulls[name],)
            sketch.arrow(secrets[name], pod, reasons, way, label=PULLED, dashed=True)
    _databases(sketch, facts, secrets)


def _databases(sketch: Sketch, facts: Facts, secrets: dict[str, str]) -> None:
    titles = {"PGO": "PostgreSQL Pods", "Redis": "Redis Pods"}
    for node, reader, name, reason in database_secrets(facts):
        if name in secrets:
            pod = sketch.node(f"{node}Pod", (titles[node],), PODS, "service")
            sketch.arrow(secrets[name], pod, (reason,), Reads("Secret", (name,), reader))
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
        label = next(iter(database.parts.values())).party.labels[:1] if database.parts else ()
        for path in paths:
            for name, reason in components.pulls(
                database.manifest.key, database.manifest.body, *path
            ):
                if name in secrets:
                    pod = sketch.node(f"{node}Pod", (titles[node],), PODS, "service")
                    way = Reads("Secret", (name,), Party(titles[node], label), pull=True)
                    sketch.arrow(secrets[name], pod, (reason,), way, label=PULLED, dashed=True)


def short_of(facts: Facts, secret: str) -> str:
    """What a Secret is called in the titles of pods."""
    return next((item.short for item in facts.vault_secrets if item.secret == secret), secret)


def _access(names: list[str], all_of_them: int) -> Title:
    if not names:
        return ()
    if len(names) == all_of_them and len(names) > 1:
        return ("Access: all secrets",)
    return (f"Access: {', '.join(names)}",)
