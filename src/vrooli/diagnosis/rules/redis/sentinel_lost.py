"""Sentinels monitor their initial address, or no Redis is the master."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis as evidence_redis
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref

WORDS = r"sentinel monitoring 127\.0\.0\.1|Number of Masters running is 0"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover without a master for its Sentinels or replicas, after its start."""
    for failover, _ in evidence_redis.failovers(evidence):
        sentinels = evidence_redis.replies(evidence, failover, "sentinel")
        redis = [item for item in evidence_redis.replies(evidence, failover, "redis") if item.facts]
        lost = [item for item in sentinels if item.monitors == evidence_redis.LOCAL]
        masterless = bool(redis) and not any(item.is_master for item in redis)
        alone = masterless and all(item.facts.get("role") == "slave" for item in redis)
        if not (lost or alone) or not evidence_redis.is_settled(evidence, failover):
            continue
        sentinel = Ref("Deployment", f"rfs-{failover.name}", failover.namespace)
        yield Symptom(
            resource=failover,
            message="sentinel monitoring 127.0.0.1:6379 instead of the master: automatic failover "
            "does not work, and Sentinel gives clients the address 127.0.0.1."
            if lost
            else "Number of Masters running is 0: no client can write.",
            remediation="The operator repairs this at one of its next reconciliations (every 30 "
            "s). If it does not, restart the Sentinels.",
            command=f"kubectl rollout restart {sentinel.words}",
            evidence=(
                *(f"{item.ref.name}: address={item.monitors}:6379" for item in lost),
                *(f"{item.ref.name}: role:slave" for item in redis if alone),
                *quoted(list(recent_lines(evidence, WORDS, "redis-operator")), 2),
            ),
        )


RULE = Rule(
    rule_id="redis-sentinel-lost-master",
    title="`sentinel monitoring 127.0.0.1:6379 instead`, `Number of Masters running is 0`",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/",
)
