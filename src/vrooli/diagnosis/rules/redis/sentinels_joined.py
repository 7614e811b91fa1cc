"""Sentinels know more Sentinels than their failover has: those of another one joined them."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom

WORDS = "mismatch number of sentinels in memory. resetting"
RECONCILE_S = 180.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each failover whose Sentinels know strangers, once restarts can't be why."""
    for failover, body in redis.failovers(evidence):
        desired = redis.desired_replicas(body, "sentinel")
        joined = [
            item
            for item in redis.replies(evidence, failover, "sentinel")
            if item.sentinels > desired
        ]
        if joined and redis.is_settled(evidence, failover):
            reported = max(item.sentinels for item in joined)
            log = list(recent_lines(evidence, WORDS, "redis-operator", within_s=RECONCILE_S))
            yield Symptom(
                resource=failover,
                message=f"its Sentinels know {reported} Sentinels and it has {desired}: the "
                "operator resets them for ever (`mismatch number of sentinels in memory. "
                "resetting`), and strangers vote on its master.",
                remediation="Keep the failovers apart (a name of its own for each, and the chart's "
                "network policies: networkPolicies.enabled), then have the Sentinels forget.",
                command=redis.run(joined[0].ref, "sentinel", "-p 26379 SENTINEL RESET mymaster"),
                evidence=(
                    *(f"{item.ref.name}: sentinels={item.sentinels}" for item in joined),
                    *quoted(log),
                ),
            )


RULE = Rule(
    rule_id="redis-sentinels-joined",
    title="`Sentinel … mismatch number of sentinels in memory. resetting`, for ever",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/",
)
