"""PostgreSQL runs, and no instance leads: nobody can write."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import creation_time, ref_of, text
from vrooli.kube.status import is_pod_ready

STARTED_S = 60.0
WORDS = r"(?i)no leader|no action\. I am .*(?:secondary|replica)|waiting for leader|CRITICAL"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each cluster whose instances run and don't lead, once a start can't be why."""
    for cluster, _ in postgres.clusters(evidence):
        running = [
            pod
            for pod in postgres.instances(evidence, cluster)
            if text(pod, "status", "phase") == "Running"
            and is_older(evidence, creation_time(pod), STARTED_S)
        ]
        leaders = postgres.leaders(evidence, cluster)
        if not running or any(is_pod_ready(pod) for pod in leaders):
            continue
        sick = ref_of(leaders[0] if leaders else running[0])
        why = f"its leader {sick.name} isn't ready" if leaders else "Patroni has named none"
        yield Symptom(
            resource=cluster,
            message=f"no instance leads ({why}): nobody can write, and pgBouncer reaches nothing.",
            remediation="See what Patroni says (patronictl list); a pod that hangs is recreated by "
            "deleting it, its volume stays.",
            command=f"kubectl delete pod {sick.name} -n {sick.namespace}",
            evidence=(
                f"{sick.name}: Ready is {is_pod_ready(evidence.get(sick) or {})}",
                *quoted(list(recent_lines(evidence, WORDS, pods=sick.name)), 2),
            ),
        )


RULE = Rule(
    rule_id="postgres-no-leader",
    title="PostgreSQL runs and no instance leads",
    find=find,
    link="https://patroni.readthedocs.io/en/latest/patronictl.html",
)
