"""The PostgreSQL operator has no image for a cluster, and creates nothing."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import operators, postgres
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, mapping, number
from vrooli.operators import PGO
from vrooli.operators.pgo import images, readiness
from vrooli.operators.pgo.names import CLUSTER_LABEL


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster that lacks an image, by the operator's environment or its event."""
    for cluster, body in postgres.clusters(evidence):
        if mapping(body, "spec").get("shutdown"):
            continue  # PGO reconciles it without an image
        offered = _offered_images(evidence)
        missing = images.missing_images(body, offered) if offered else []
        event = readiness.missing_image(body, evidence)
        if missing or (event is not None and not offered):
            yield Symptom(
                resource=cluster,
                message=_message(missing),
                remediation=_remediation(body, missing, offered),
                command=f"kubectl get deployments -A -l {shell.selector(PGO.selector)} -o yaml",
                evidence=last_events(evidence, cluster, images.EVENT),
                # What runs already keeps running.
                can_explain=("not-ready",) if _runs(evidence, cluster) else None,
            )


def _runs(evidence: Evidence, cluster: Ref) -> bool:
    return bool(evidence.pods({CLUSTER_LABEL: cluster.name}, cluster.namespace))


def _offered_images(evidence: Evidence) -> frozenset[str]:
    """The images of the operator; empty if its environment is unreadable."""
    deployments = operators.deployments(evidence, PGO)
    return frozenset().union(*map(images.offered_images, deployments))


def _message(missing: list[str]) -> str:
    named = [images.title(name) for name in missing] or ["a part of the cluster"]
    return (
        f"its operator has no image of {', '.join(named)} and the resource names none, so it "
        f"reconciles nothing ({images.EVENT})."
    )


def _remediation(body: Body, missing: list[str], offered: frozenset[str]) -> str:
    major = number(body, "spec", "postgresVersion")
    others = [images.VALUES[name] for name in missing if name in images.VALUES]
    sentences = [f"Set {value} to an image." for value in others]
    if images.postgres_image(major) in missing or not missing:
        versions = " or ".join(map(str, images.postgres_versions(offered)))
        sentences.insert(
            0,
            f"Set pgoPostgresql.postgresVersion to {versions}, or set {images.POSTGRES_VALUE} to "
            f"an image of PostgreSQL {major}; a database with data keeps its version."
            if versions
            else f"Set {images.POSTGRES_VALUE}, or a version of PostgreSQL that the operator has.",
        )
    return f"{' '.join(sentences)} Then deploy again."


RULE = Rule(
    rule_id="postgres-image-missing",
    title="`MissingRequiredImage`: the operator has no image for the version of PostgreSQL, and "
    "creates nothing",
    find=find,
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/references/"
    "components",
)
