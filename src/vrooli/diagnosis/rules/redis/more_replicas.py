"""More Redis than Sentinel replicas: operator 1.2.4 compares the wrong counts and never elects."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis as evidence_redis
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover with more Redis than Sentinel replicas."""
    for ref, body in evidence_redis.failovers(evidence):
        redis, sentinels = (
            evidence_redis.desired_replicas(body, part) for part in ("redis", "sentinel")
        )
        if redis > sentinels:
            yield Symptom(
                resource=ref,
                message=f"it requests {redis} Redis and {sentinels} Sentinel pods. Operator 1.2.4 "
                "waits for as many Sentinels as Redis before it elects a master, and logs nothing. "
                "New Redis pods stay Running and never become ready.",
                remediation="Set at least as many Sentinel replicas as Redis replicas (also in the "
                "values: spotahomeRedis.sentinel.replicas).",
                command=patch(ref, redis, "spec", "sentinel", "replicas"),
                evidence=(f"spec.redis.replicas: {redis}, spec.sentinel.replicas: {sentinels}",),
            )


RULE = Rule(
    rule_id="redis-more-replicas-than-sentinels",
    title="rfr pods Running 0/1 while rfs pods are Ready: more Redis than Sentinels",
    find=find,
    link="https://github.com/spotahome/redis-operator/blob/v1.2.4/operator/redisfailover/service/"
    "check.go#L484",
)
