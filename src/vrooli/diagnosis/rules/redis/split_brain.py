"""More than one Redis has the role master."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis
from vrooli.diagnosis.evidence.components.redis import Reply
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom

WORDS = "more than one master, fix manually"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover with two or more masters."""
    for failover, _ in redis.failovers(evidence):
        masters = [item for item in redis.replies(evidence, failover, "redis") if item.is_master]
        if len(masters) > 1:
            primary, *others = sorted(masters, key=_worth)
            names = ", ".join(item.ref.name for item in masters)
            log = list(recent_lines(evidence, WORDS, "redis-operator"))
            yield Symptom(
                resource=failover,
                message=f"more than one master ({names}): each accepts its own writes. The "
                "operator does not repair this.",
                remediation="Choose the master whose data you keep. The other masters become its "
                "replicas and lose their own data. The command keeps the data of "
                f"{primary.ref.name}.",
                command=redis.run(
                    others[0].ref, "redis", f"REPLICAOF {primary.address} {redis.PORT}"
                ),
                evidence=(*(_line(item) for item in masters), *quoted(log, 1)),
            )


def _worth(item: Reply) -> tuple[bool, int, str]:
    """Sort key: the master that clients reach first, then the one with the most replicas."""
    replicas = item.facts.get("connected_slaves", "0")
    return (
        not item.is_labelled_master,
        -int(replicas) if replicas.isdigit() else 0,
        item.ref.name,
    )


def _line(item: Reply) -> str:
    facts = item.facts
    return (
        f"{item.ref.name}: role:master connected_slaves:{facts.get('connected_slaves', '?')} "
        f"master_repl_offset:{facts.get('master_repl_offset', '?')}"
    )


RULE = Rule(
    rule_id="redis-split-brain",
    title="`more than one master, fix manually`",
    find=find,
    link="https://redis.io/docs/latest/commands/replicaof/",
)
