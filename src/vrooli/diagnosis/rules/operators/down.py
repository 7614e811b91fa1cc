"""An operator that the release needs is not installed or not running."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.components.vso import SETUP
from vrooli.diagnosis.evidence.model import OTHER_NAMESPACES, Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command
from vrooli.kube.objects import Ref, ref_of
from vrooli.operators import PGO, REDIS, VSO, Operator


def find(evidence: Evidence, operator: Operator) -> Iterator[Symptom]:
    """Yield the operator if the release needs it and it is not running."""
    dependents = [ref_of(body) for kind in operator.kinds for body in evidence.all(kind)]
    if not dependents:
        return
    bodies = deployments(evidence, operator)
    is_readable = evidence.is_readable("Deployment", operator.namespace)
    if not bodies and is_readable and not evidence.is_hidden("Deployment", OTHER_NAMESPACES):
        yield Symptom(
            resource=Ref("Namespace", operator.namespace),
            message=f"{operator.subject} is not installed: {operator.outage}.",
            remediation="Install it.",
            command=SETUP,
            affects=tuple(dependents),
        )
    for ref in map(ref_of, bodies):
        if why := down(evidence, ref):
            yield Symptom(
                resource=ref,
                message=f"{operator.subject} is not running ({why}): {operator.outage}.",
                remediation="Start it. If it stops again, check its events and its log.",
                command=recover_command(evidence, ref),
                evidence=last_events(evidence, ref),
                affects=tuple(dependents),
            )


# For each operator: the id of its rule, its title and its documentation.
OPERATORS = (
    (
        REDIS,
        "redis-operator-down",
        "the Redis operator is not installed or not running: Redis is not repaired",
        "https://github.com/spotahome/redis-operator#operator-deployment-on-kubernetes",
    ),
    (
        PGO,
        "pgo-down",
        "PGO is not installed or not running: changes to PostgreSQL are not applied",
        "https://access.crunchydata.com/documentation/postgres-operator/latest/installation",
    ),
    (
        VSO,
        "vso-down",
        "the Vault Secrets Operator is not installed or not running: secrets are not renewed",
        "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/installation",
    ),
)
RULES = tuple(
    Rule(rule_id, title, partial(find, operator=operator), link)
    for operator, rule_id, title, link in OPERATORS
)
