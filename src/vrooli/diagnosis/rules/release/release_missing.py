"""The namespace or the release does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.objects import Ref

LINK = "https://helm.sh/docs/helm/helm_list/"


def namespace(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the namespace if the cluster does not have it."""
    if not evidence.is_readable("Namespace") or _has_namespace(evidence):
        return
    existing = ", ".join(sorted(item["metadata"]["name"] for item in evidence.all("Namespace", "")))
    yield Symptom(
        resource=Ref("Namespace", evidence.namespace),
        message=f"the namespace does not exist (available: {existing or 'none that is readable'})",
        remediation="Set the namespace of the release (-n), or deploy the release.",
        command=_deploy(evidence),
        evidence=(f"namespaces: {existing}",),
    )


def release(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the release if Secrets are readable and Helm has no record of it."""
    if evidence.helm.status or not evidence.is_readable("Secret") or not _has_namespace(evidence):
        return
    yield Symptom(
        resource=Ref("Release", evidence.release, evidence.namespace),
        message=f"release {evidence.release} does not exist in namespace {evidence.namespace}",
        remediation="Deploy it, or set its namespace (-n).",
        command=_deploy(evidence),
        evidence=(f"Helm has no record of it in {evidence.namespace}",),
    )


def _has_namespace(evidence: Evidence) -> bool:
    return evidence.get(Ref("Namespace", evidence.namespace)) is not None


def _deploy(evidence: Evidence) -> str:
    """The command that deploys an environment's release; development is built from source."""
    for name, environment in ENVIRONMENTS.items():
        if (environment.release, environment.namespace) == (evidence.release, evidence.namespace):
            return "vrooli develop" if name == "dev" else f"vrooli deploy -e {shell.name(name)}"
    return (
        f"kubectl get secrets --all-namespaces -l owner=helm,name={shell.label(evidence.release)}"
    )


NAMESPACE_MISSING = Rule(
    rule_id="namespace-missing",
    title='namespaces "…" not found: the namespace does not exist',
    find=namespace,
    link="https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
)
RELEASE_MISSING = Rule(
    rule_id="release-missing",
    title="release: not found: Helm has no such release in the namespace",
    find=release,
    link=LINK,
)
