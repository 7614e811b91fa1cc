"""The cluster lacks a custom resource definition that the release needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from vrooli.diagnosis.evidence.components.vso import SETUP
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref
from vrooli.operators import PGO, REDIS, VSO, Operator


def find(evidence: Evidence, operator: Operator, remedy: str, command: str) -> Iterator[Symptom]:
    """Yield each definition that the release needs and the cluster does not have."""
    for kind, definition in ((item.kind, item.definition) for item in operator.resources):
        manifests = evidence.manifests_of(kind)
        if manifests and not evidence.is_readable(kind) and not evidence.is_hidden(kind):
            yield Symptom(
                resource=Ref("CustomResourceDefinition", definition),
                message=f'no matches for kind "{kind}": the cluster has no definition of this kind '
                f"for {operator.subject.rstrip(',')}.",
                remediation=remedy,
                command=command,
                affects=tuple(Ref(kind, item.name, evidence.namespace) for item in manifests),
            )


@dataclass(frozen=True)
class _Definitions:
    """The rule of one operator: id, title, remediation, command, documentation."""

    operator: Operator
    rule_id: str
    title: str
    remedy: str
    command: str
    link: str

    @property
    def rule(self) -> Rule:
        find_ = partial(find, operator=self.operator, remedy=self.remedy, command=self.command)
        return Rule(self.rule_id, self.title, find_, self.link)


OPERATORS = (
    _Definitions(
        REDIS,
        "redis-crd-missing",
        'no matches for kind "RedisFailover"',
        "Install the definition first, then the operator. The definition is too large for a "
        "client-side apply.",
        "kubectl apply --server-side -f https://raw.githubusercontent.com/spotahome/"
        "redis-operator/v1.2.4/manifests/databases.spotahome.com_redisfailovers.yaml",
        "https://github.com/spotahome/redis-operator#operator-deployment-on-kubernetes",
    ),
    _Definitions(
        PGO,
        "postgres-crd-missing",
        'no matches for kind "PostgresCluster"',
        "Install PGO, which includes the definition.",
        SETUP,
        "https://access.crunchydata.com/documentation/postgres-operator/latest/installation",
    ),
    _Definitions(
        VSO,
        "vso-crd-missing",
        'no matches for kind "VaultStaticSecret" (or VaultAuth, VaultConnection)',
        "Install the Vault Secrets Operator, which includes the definition.",
        SETUP,
        "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/installation",
    ),
)
RULES = tuple(item.rule for item in OPERATORS)
