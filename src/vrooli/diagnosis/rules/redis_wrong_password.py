"""Redis refuses the password of its Secret."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis import redis_state
from vrooli.diagnosis.evidence import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import Ref
from vrooli.diagnosis.said import lately, quoted

OPERATOR = "redis-operator"
WORDS = r"WRONGPASS|NOAUTH|invalid username-password pair"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each failover with a Redis that refuses its own password, or whose clients are refused."""
    for failover, _ in redis_state.failovers(evidence):
        redis = redis_state.told(evidence, failover, "redis")
        refusing = [item for item in redis if "WRONGPASS" in item.text or "NOAUTH" in item.text]
        by_operator = lately(evidence, WORDS, OPERATOR)
        logs = [
            *lately(evidence, WORDS),
            *((source, line) for source, line in by_operator if failover.name in line),
        ]
        pods = [item.ref for item in refusing] or [item.ref for item in redis if logs]
        if not pods:
            continue
        words = refusing[0].text.strip().splitlines()[0] if refusing else "WRONGPASS"
        yield Symptom(
            about=failover,
            found=f"it refuses the password of its Secret ({words}): Redis runs with another one "
            "than its clients are given.",
            remedy="A Redis reads its password when it starts: start it anew, one pod after the "
            "other. Its data stay where persistence.redis is enabled.",
            command=_restart(pods),
            evidence=(
                *(f"{item.ref.name}: {item.text.strip().splitlines()[0]}" for item in refusing),
                *quoted(logs, 2),
            ),
        )


def _restart(pods: list[Ref]) -> str:
    names = " ".join(sorted(ref.name for ref in pods))
    return f"kubectl delete pod {names} -n {pods[0].namespace}"


RULE = Rule(
    name="redis-wrong-password",
    title="`AUTH failed: WRONGPASS`, `NOAUTH Authentication required.`",
    find=find,
    link="https://redis.io/docs/latest/commands/auth/",
)
