"""Sentinels of another RedisFailover joined: the Sentinels list more peers than configured."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom

WORDS = "mismatch number of sentinels in memory. resetting"
RECONCILE_S = 180.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover whose Sentinels list foreign peers, after its restarts."""
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
                message=f"its Sentinels list {reported} Sentinels, but {desired} are configured. "
                "The operator resets them in a loop (`mismatch number of sentinels in memory. "
                "resetting`), and foreign Sentinels vote on its master.",
                remediation="Isolate the RedisFailovers (a unique name for each, and the chart's "
                "network policies: networkPolicies.enabled), then reset the Sentinels.",
                command=redis.run(joined[0].ref, "sentinel", "-p 26379 SENTINEL RESET mymaster"),
                evidence=(
                    *(f"{item.ref.name}: sentinels={item.sentinels}" for item in joined),
                    *quoted(log),
                ),
            )


RULE = Rule(
    rule_id="redis-sentinels-joined",
    title="`Sentinel … mismatch number of sentinels in memory. resetting`, repeatedly",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/",
)
