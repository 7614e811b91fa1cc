"""PostgreSQL is running without a leader: no client can write."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older, started_at
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import ref_of, text
from vrooli.kube.status import is_pod_ready

STARTED_S = 60.0
WORDS = r"(?i)no leader|no action\. I am .*(?:secondary|replica)|waiting for leader|CRITICAL"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster whose instances have been running for a while without a leader."""
    for cluster, _ in postgres.clusters(evidence):
        running = [
            pod
            for pod in postgres.instances(evidence, cluster)
            if text(pod, "status", "phase") == "Running"
            and is_older(evidence, started_at(pod), STARTED_S)
        ]
        leaders = postgres.leaders(evidence, cluster)
        if not running or any(is_pod_ready(pod) for pod in leaders):
            continue
        sick = ref_of(leaders[0] if leaders else running[0])
        why = f"its leader {sick.name} is not ready" if leaders else "Patroni has elected none"
        yield Symptom(
            resource=cluster,
            message=f"there is no ready leader ({why}): no client can write, and pgBouncer has no "
            "server to connect to.",
            remediation="Check `patronictl list`. If a pod hangs, delete it: the operator "
            "recreates it, and its volume is kept.",
            command=f"kubectl delete pod {shell.name(sick.name)} -n {shell.label(sick.namespace)}",
            evidence=(
                f"{sick.name}: Ready is {is_pod_ready(evidence.get(sick) or {})}",
                *quoted(list(recent_lines(evidence, WORDS, pods=sick.name)), 2),
            ),
        )


RULE = Rule(
    rule_id="postgres-no-leader",
    title="PostgreSQL is running without a leader",
    find=find,
    link="https://patroni.readthedocs.io/en/latest/patronictl.html",
)
