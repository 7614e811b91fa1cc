"""What is known of each PostgresCluster: its answers, its pods, how to talk to it. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.release.rollout.readiness import LEADER_ROLES, PGO

CONTAINER = postgres_state.CONTAINER


def clusters(seen: Evidence) -> Iterator[tuple[Ref, Body]]:
    """The release's clusters."""
    return ((ref_of(body), body) for body in seen.all("PostgresCluster"))


def instances(seen: Evidence, cluster: Ref) -> list[Body]:
    """The pods that hold the data."""
    return seen.pods({f"{PGO}/cluster": cluster.name, f"{PGO}/data": "postgres"}, cluster.namespace)


def leaders(seen: Evidence, cluster: Ref) -> list[Body]:
    """The pods that Patroni has labelled its leader."""
    found = instances(seen, cluster)
    return [pod for pod in found if text(labels(pod), f"{PGO}/role") in LEADER_ROLES]


def state(seen: Evidence, cluster: Ref) -> Mapping[str, Any]:
    """What its leader says of itself; empty where it said nothing."""
    return said(seen.answer(postgres_state.NAME, cluster))


def said(answer: Answer | None) -> Mapping[str, Any]:
    """What stands in an answer; empty where there is none."""
    found = json.loads(answer.text) if answer is not None and answer.ok else {}
    return found if isinstance(found, Mapping) else {}


def psql(pod: Body, *statements: str, database: str = "postgres") -> str:
    """The command that runs SQL in an instance."""
    ref = ref_of(pod)
    words = " ".join(f"-c '{statement}'" for statement in statements)
    return (
        f"kubectl exec {ref.name} -n {ref.namespace} -c {CONTAINER} -- psql -d {database} {words}"
    )
