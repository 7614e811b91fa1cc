"""The data that is required to call a release healthy, and what of it is missing.

Kinds, logs and probes that are not listed here are optional: they make findings more precise, and
if they are missing that is reported but does not change the verdict. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.components.vault import vault_services
from vrooli.diagnosis.evidence.model import OTHER_NAMESPACES, Answer, Evidence
from vrooli.kube import Priority
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OPERATORS, Operator

# In the release's namespace: pods, workloads, Services, events and Helm's records (in Secrets).
OF_RELEASE = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "Job", "PersistentVolumeClaim"),
        *(kind for operator in OPERATORS for kind in operator.kinds),
        *("Service", "EndpointSlice", "Ingress", "Event", "Secret"),
    }
)
# Required only of a release that has one: a cluster may lack the Gateway API.
ROUTE = "HTTPRoute"
# In the namespace of each operator that the release needs.
OF_OPERATOR = frozenset({"Deployment", "Pod"})
# In the namespace of a Vault in the cluster that the release uses.
OF_VAULT = frozenset({"Pod", "Service"})
# The required probes, whose results no object shows: a sealed Vault, Redis without one master, a
# failing WAL archive. Each with the name that `access` uses for its target.
PROBES = {"vault-health": "Vault", "redis-info": "Redis", "postgres-state": "PostgreSQL"}
# The probes whose timeout is not a finding: a busy machine may not start a program in time.
_SILENT = ("redis-info", "postgres-state")
# The places of data that does not belong to a kind.
LOG, HELM, RULE, PROBE = "log", "Helm's record", "rule", "probe"
# Namespaces that are read for the cluster's own components and for events of nodes.
_OF_NO_VAULT = ("kube-system", "default")


def priority(kind: str, namespace: str | None, home: str) -> Priority:
    """The priority of reading a kind; None is all namespaces at once."""
    needed: frozenset[str] = frozenset()
    if namespace in (None, home):
        needed = OF_RELEASE
    elif namespace in {operator.namespace for operator in OPERATORS}:
        needed = OF_OPERATOR
    elif namespace == OTHER_NAMESPACES:
        # An operator may run in a different namespace.
        needed = frozenset({"Deployment"})
    elif namespace not in _OF_NO_VAULT:
        needed = OF_VAULT
    return Priority.REQUIRED if kind in needed else Priority.OPTIONAL


def silent(answers: Iterable[Answer]) -> list[Unavailable]:
    """The required probes without a response, which no rule reports."""
    return [
        Unavailable(f"state of {item.about}", item.text, place=(PROBE, item.probe))
        for item in answers
        if item.probe in _SILENT and not item.ok
    ]


def missing(evidence: Evidence) -> list[Unavailable]:
    """The required data that could not be read, with the reasons."""
    unavailable = [item for item in evidence.unavailable if _is_required(item, evidence)]
    if not evidence.is_readable("Pod") and not any(item.place[0] == "Pod" for item in unavailable):
        unavailable.append(Unavailable(f"Pod in {evidence.namespace}", "no pod could be read"))
    return unavailable


def _is_required(item: Unavailable, evidence: Evidence) -> bool:
    name, namespace = item.place
    if name in (HELM, RULE):
        return True
    if name == PROBE:
        return namespace in PROBES
    if namespace == evidence.namespace and (
        name in OF_RELEASE or (name == ROUTE and evidence.manifests_of(ROUTE))
    ):
        return True
    if (
        namespace in {service.namespace for service in vault_services(evidence)}
        and name in OF_VAULT
    ):
        return True
    return any((name, namespace) in _places(operator, evidence) for operator in OPERATORS)


def _places(operator: Operator, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The required data of an operator, each with its namespace."""
    if not _is_needed(operator, evidence):
        return
    bodies = deployments(evidence, operator)
    is_in_other_namespace = bodies and not evidence.all("Deployment", operator.namespace)
    if not is_in_other_namespace:
        yield from ((name, operator.namespace) for name in (*OF_OPERATOR, LOG))
    if not bodies:
        yield "Deployment", OTHER_NAMESPACES


def _is_needed(operator: Operator, evidence: Evidence) -> bool:
    """Whether the release has resources of an operator; true if that is unknown."""
    is_unknown = evidence.is_hidden("Secret") and any(map(evidence.is_hidden, operator.kinds))
    return is_unknown or any(
        evidence.manifests_of(kind) or evidence.all(kind) for kind in operator.kinds
    )
