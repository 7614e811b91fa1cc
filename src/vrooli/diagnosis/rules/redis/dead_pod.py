"""A Redis or Sentinel pod has terminated and still exists, so the operator stops reconciling."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import redis
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import ref_of, text

DEAD = ("Failed", "Succeeded", "Unknown")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each pod of a RedisFailover that has terminated and still exists."""
    for failover, _ in redis.failovers(evidence):
        for part in ("redis", "sentinel"):
            for pod in redis.pods(evidence, failover, part):
                phase = text(pod, "status", "phase")
                if phase not in DEAD:
                    continue
                ref = ref_of(pod)
                why = text(pod, "status", "reason") or text(pod, "status", "message")
                yield Symptom(
                    resource=ref,
                    message=f"the pod has terminated ({phase}{f', {why}' if why else ''}) and "
                    f"still exists. The operator repairs {failover.name} only while all its pods "
                    "are Running.",
                    remediation="Delete the terminated pod.",
                    command=f"kubectl delete pod {shell.name(ref.name)} -n "
                    f"{shell.label(ref.namespace)}",
                    evidence=(f"{ref.name}: status.phase {phase}",),
                    affects=(failover,),
                )


RULE = Rule(
    rule_id="redis-dead-pod-blocks-healing",
    title="an evicted or terminated pod of a RedisFailover still exists: the operator repairs "
    "nothing",
    find=find,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
