"""Two releases in one namespace use the same Secrets or databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube import common_labels
from vrooli.kube.objects import (
    Body,
    Ref,
    annotations_of,
    containers,
    items,
    labels,
    mapping,
    ref_of,
    text,
)

# Helm's annotation with the release that owns an object.
OWNER = "meta.helm.sh/release-name"
# The settings of a pod that contain a database's address.
ADDRESSES = ("DB_HOST", "REDIS_SENTINEL_HOSTS", "DB_URL", "REDIS_URL")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each other release that uses the same Secrets or databases."""
    used: dict[str, set[str]] = {}
    for body in (*evidence.all("Deployment"), *evidence.all("StatefulSet")):
        if release := _release(body):
            used.setdefault(release, set()).update(_uses(evidence, body))
    for body in evidence.all("VaultStaticSecret"):
        if (release := _release(body)) and (name := text(body, "spec", "destination", "name")):
            used.setdefault(release, set()).add(f"Secret/{name}")
    ours = used.pop(evidence.release, set())
    for release, theirs in sorted(used.items()):
        if common := sorted(ours & theirs):
            yield Symptom(
                resource=Ref("Release", release, evidence.namespace),
                message=f"it shares with {evidence.release}: {', '.join(common)}. A change or "
                "removal in one release affects the other, and their data is mixed.",
                remediation="Set unique names (vso.secrets.*.k8sSecretName, "
                "pgoPostgresql.clusterName, spotahomeRedis.name), use a separate namespace, or "
                "uninstall it.",
                command=f"kubectl get all -n {shell.label(evidence.namespace)} -l "
                f"{common_labels.INSTANCE}={shell.label(release)}",
                evidence=tuple(f"{release} and {evidence.release}: {name}" for name in common),
            )


def _release(body: Body) -> str:
    return text(annotations_of(body), OWNER) or text(labels(body), common_labels.INSTANCE)


def _uses(evidence: Evidence, body: Body) -> set[str]:
    """The Secrets and the databases in a workload's settings."""
    used: set[str] = set()
    for container in containers(mapping(body, "spec", "template")):
        for source in items(container, "envFrom"):
            if name := text(source, "secretRef", "name"):
                used.add(f"Secret/{name}")
            config = text(source, "configMapRef", "name")
            config_map = evidence.get(Ref("ConfigMap", config, ref_of(body).namespace)) or {}
            used |= _addresses(mapping(config_map, "data"))
        for entry in items(container, "env"):
            if name := text(entry, "valueFrom", "secretKeyRef", "name"):
                used.add(f"Secret/{name}")
            used |= _addresses({text(entry, "name"): entry.get("value")})
    return used


def _addresses(settings: Mapping[str, object]) -> set[str]:
    return {
        f"{name} {value}"
        for name, value in settings.items()
        # An address with a user and a password must not be shown.
        if name in ADDRESSES and value and "@" not in str(value)
    }


RULE = Rule(
    rule_id="shared-between-releases",
    title="two releases use the same Secret, database or Redis",
    find=find,
    link="https://helm.sh/docs/chart_best_practices/labels/",
)
