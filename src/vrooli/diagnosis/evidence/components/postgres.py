"""The state and pods of each PostgresCluster, and commands for it. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli import shell
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL, DATA_LABEL, LEADER_ROLES, ROLE_LABEL

CONTAINER = postgres_state.CONTAINER


def clusters(evidence: Evidence) -> Iterator[tuple[Ref, Body]]:
    """The release's clusters."""
    return ((ref_of(body), body) for body in evidence.all("PostgresCluster"))


def instances(evidence: Evidence, cluster: Ref) -> list[Body]:
    """The pods with the data."""
    return evidence.pods({CLUSTER_LABEL: cluster.name, DATA_LABEL: "postgres"}, cluster.namespace)


def leaders(evidence: Evidence, cluster: Ref) -> list[Body]:
    """The pods that Patroni has labelled as the leader."""
    pods = instances(evidence, cluster)
    return [pod for pod in pods if text(labels(pod), ROLE_LABEL) in LEADER_ROLES]


def state(evidence: Evidence, cluster: Ref) -> Mapping[str, Any]:
    """The state that its leader reports; empty without a response."""
    return parse_answer(evidence.answer(postgres_state.NAME, cluster))


def parse_answer(answer: Answer | None) -> Mapping[str, Any]:
    """The parsed response; empty if there is none."""
    report = json.loads(answer.text) if answer is not None and answer.ok else {}
    return report if isinstance(report, Mapping) else {}


def psql(pod: Body, *statements: str, database: str = "postgres") -> str:
    """The command that runs SQL in an instance."""
    ref = ref_of(pod)
    words = " ".join(f"-c {shell.quote(statement)}" for statement in statements)
    return (
        f"kubectl exec {shell.name(ref.name)} -n {shell.label(ref.namespace)} -c {CONTAINER} "
        f"-- psql -d {shell.identifier(database)} {words}"
    )
