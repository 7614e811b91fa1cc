"""A Redis does not respond although its container is running."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import redis
from vrooli.diagnosis.evidence.components.redis import Reply
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import redis_info
from vrooli.diagnosis.evidence.workloads import is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.status import pod_status

STARTED_S = 30.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover with a running Redis that does not respond."""
    for failover, _ in redis.failovers(evidence):
        silent = [
            item
            for item in redis.replies(evidence, failover, "redis")
            if item.answered and _is_silent(evidence, item)
        ]
        for item in silent[:1]:
            yield Symptom(
                resource=failover,
                message=f"Redis in pod {item.ref.name} is running but does not respond.",
                remediation="Check its log, SLOWLOG GET and CLIENT LIST, then restart it.",
                command=f"kubectl delete pod {shell.name(item.ref.name)} -n "
                f"{shell.label(item.ref.namespace)}",
                evidence=(f"{item.ref.name}: INFO replication: {_words(item)}",),
            )


def _words(item: Reply) -> str:
    return item.text.strip() or f"no response within {redis_info.SILENT_S} s"


def _is_silent(evidence: Evidence, item: Reply) -> bool:
    """Whether it has been running for a while but reports neither its role nor a known error."""
    container = pod_status(item.pod).container("redis")
    running = (
        container is not None
        and container.is_running
        and is_older(evidence, container.started_at, STARTED_S)
    )
    refused = any(word in item.text for word in ("WRONGPASS", "NOAUTH", "LOADING"))
    return running and not refused and "role:" not in item.text


RULE = Rule(
    rule_id="redis-unreachable",
    title="a Redis does not respond although its pod is running",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency/",
)
