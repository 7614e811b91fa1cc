"""What is known of each PostgresCluster: its answers, its pods, how to talk to it. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL, DATA_LABEL, LEADER_ROLES, ROLE_LABEL

CONTAINER = postgres_state.CONTAINER


def clusters(evidence: Evidence) -> Iterator[tuple[Ref, Body]]:
    """The release's clusters."""
    return ((ref_of(body), body) for body in evidence.all("PostgresCluster"))


def instances(evidence: Evidence, cluster: Ref) -> list[Body]:
    """The pods that hold the data."""
    return evidence.pods({CLUSTER_LABEL: cluster.name, DATA_LABEL: "postgres"}, cluster.namespace)


def leaders(evidence: Evidence, cluster: Ref) -> list[Body]:
    """The pods that Patroni has labelled its leader."""
    pods = instances(evidence, cluster)
    return [pod for pod in pods if text(labels(pod), ROLE_LABEL) in LEADER_ROLES]


def state(evidence: Evidence, cluster: Ref) -> Mapping[str, Any]:
    """What its leader says of itself; empty where it said nothing."""
    return parse_answer(evidence.answer(postgres_state.NAME, cluster))


def parse_answer(answer: Answer | None) -> Mapping[str, Any]:
    """What stands in an answer; empty where there is none."""
    report = json.loads(answer.text) if answer is not None and answer.ok else {}
    return report if isinstance(report, Mapping) else {}


def psql(pod: Body, *statements: str, database: str = "postgres") -> str:
    """The command that runs SQL in an instance."""
    ref = ref_of(pod)
    words = " ".join(f"-c '{statement}'" for statement in statements)
    return (
        f"kubectl exec {ref.name} -n {ref.namespace} -c {CONTAINER} -- psql -d {database} {words}"
    )
