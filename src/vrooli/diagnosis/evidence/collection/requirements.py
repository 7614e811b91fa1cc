"""What must have been seen before a release is called healthy, and what of it was not.

All of it is data here: the kinds, the logs and the questions. Whatever isn't named is optional: it
makes a finding more exact, and its absence is said, but decides nothing. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.components.vault import vault_services
from vrooli.diagnosis.evidence.model import ELSEWHERE, Answer, Evidence
from vrooli.kube import Priority
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OPERATORS, Operator

# Of the release's namespace: what runs, what runs it, what leads to it, what happened to it, and
# what Helm has recorded of it (in Secrets).
OF_RELEASE = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "Job", "PersistentVolumeClaim"),
        *(kind for operator in OPERATORS for kind in operator.kinds),
        *("Service", "EndpointSlice", "Ingress", "Event", "Secret"),
    }
)
# Of the namespace of each operator that the release needs.
OF_OPERATOR = frozenset({"Deployment", "Pod"})
# Of the namespace of a Vault that is a Service of the cluster and that the release names.
OF_VAULT = frozenset({"Pod", "Service"})
# Questions whose answers no object tells: a sealed Vault, Redis that disagree on their master, a
# PostgreSQL that archives nothing. Each with what `rights` calls whom it asks.
PROBES = {"vault-health": "Vault", "redis-info": "Redis", "postgres-state": "PostgreSQL"}
# Those of them of whose silence no rule makes a finding: a busy machine starts no program in time.
_SILENT = ("redis-info", "postgres-state")
# The place of what belongs to no kind.
LOG, HELM, RULE, PROBE = "log", "Helm's note", "rule", "probe"
# Namespaces that are looked at for what the cluster itself runs in them, and for nodes' events.
_OF_NO_VAULT = ("kube-system", "default")


def priority(kind: str, namespace: str | None, home: str) -> Priority:
    """Whether a kind is asked for before others; None is every namespace at once."""
    needed: frozenset[str] = frozenset()
    if namespace in (None, home):
        needed = OF_RELEASE
    elif namespace in {operator.namespace for operator in OPERATORS}:
        needed = OF_OPERATOR
    elif namespace == ELSEWHERE:
        # Where an operator is that isn't at its usual place.
        needed = frozenset({"Deployment"})
    elif namespace not in _OF_NO_VAULT:
        needed = OF_VAULT
    return Priority.REQUIRED if kind in needed else Priority.OPTIONAL


def silent(answers: Iterable[Answer]) -> list[Unavailable]:
    """The needed questions that got no answer, and that nobody is blamed for."""
    return [
        Unavailable(f"what {item.about} says of itself", item.text, place=(PROBE, item.probe))
        for item in answers
        if item.probe in _SILENT and not item.ok
    ]


def missing(evidence: Evidence) -> list[Unavailable]:
    """What was needed and couldn't be looked at, each with why."""
    unavailable = [item for item in evidence.unavailable if _is_required(item, evidence)]
    if not evidence.is_readable("Pod") and not any(item.place[0] == "Pod" for item in unavailable):
        unavailable.append(
            Unavailable(f"Pod in {evidence.namespace}", "none of them could be looked at")
        )
    return unavailable


def _is_required(item: Unavailable, evidence: Evidence) -> bool:
    name, namespace = item.place
    if name in (HELM, RULE):
        return True
    if name == PROBE:
        return namespace in PROBES
    if namespace == evidence.namespace and name in OF_RELEASE:
        return True
    if (
        namespace in {service.namespace for service in vault_services(evidence)}
        and name in OF_VAULT
    ):
        return True
    return any((name, namespace) in _places(operator, evidence) for operator in OPERATORS)


def _places(operator: Operator, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What must be seen of an operator, and where."""
    if not _is_needed(operator, evidence):
        return
    bodies = deployments(evidence, operator)
    is_in_other_namespace = bodies and not evidence.all("Deployment", operator.namespace)
    if not is_in_other_namespace:
        yield from ((name, operator.namespace) for name in (*OF_OPERATOR, LOG))
    if not bodies:
        yield "Deployment", ELSEWHERE


def _is_needed(operator: Operator, evidence: Evidence) -> bool:
    """Whether the release has what an operator keeps; where that can't be known, it may."""
    is_unknown = evidence.is_hidden("Secret") and any(map(evidence.is_hidden, operator.kinds))
    return is_unknown or any(
        evidence.manifests_of(kind) or evidence.all(kind) for kind in operator.kinds
    )
