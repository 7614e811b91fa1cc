"""Redis refuses every write, because it can't write its own data to its volume."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vrooli.diagnosis.evidence.components import redis as evidence_redis
from vrooli.diagnosis.evidence.components.redis import Reply
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, ref_of

WORD = "MISCONF"
# What `INFO persistence` says of the last write of a snapshot and of the append-only file.
STATUSES = {"rdb_last_bgsave_status": "a snapshot", "aof_last_write_status": "its append-only file"}
# What the kernel answers, in Redis' log: what it means, and what to do.
REASONS = (
    (
        r"No space left on device|Disk quota exceeded",
        "its volume is full",
        "Give the volume more room (persistence.redis.size; its storage class must allow it), or "
        "take away what else fills it.",
    ),
    (
        r"Read-only file system",
        "its volume is read-only",
        "See why the node mounts it read-only: the storage's own events, and the node's kernel log "
        "(a file system with errors is made read-only).",
    ),
    (
        r"Permission denied",
        "it may not write to its volume",
        "See the owner of /data in its pod, and the pod's fsGroup.",
    ),
    (r"(?i)cannot allocate memory", "its node gives it no memory to do so", "Give it more memory."),
)
OTHER = ("its log says why", "See its log: what it says of saving.")
_SAVING = r"(?i)error saving|bgsave|rdb|aof|append only|opening the temp"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each failover with a Redis that can't save, by itself or by what its clients are told."""
    for failover, _ in evidence_redis.failovers(evidence):
        redis = evidence_redis.replies(evidence, failover, "redis")
        failing = [item for item in redis if _failures(item)]
        client_errors = _client_errors(evidence)
        # All of them say that they can: what clients were told is over.
        is_over = bool(redis) and all(_can_save(item) for item in redis)
        if failing or (client_errors and not is_over):
            yield _symptom(evidence, failover, failing, client_errors)


def _failures(item: Reply) -> list[str]:
    return [what for name, what in STATUSES.items() if item.facts.get(name) == "err"]


def _can_save(item: Reply) -> bool:
    return all(item.facts.get(name) == "ok" for name in STATUSES)


def _client_errors(evidence: Evidence) -> list[str]:
    """What clients of Redis say that it told them: in their logs, and when asked how they are."""
    answers = [
        f"{item.about}: {line}"
        for item in evidence.answers
        if item.probe == health_answer.NAME and WORD in item.text
        for line in [item.text.strip().splitlines()[-1]]
    ]
    return [*answers, *quoted(list(recent_lines(evidence, WORD)))]


def _symptom(
    evidence: Evidence, failover: Ref, failing: Sequence[Reply], client_errors: Sequence[str]
) -> Symptom:
    pods = [item.pod for item in failing] or evidence_redis.pods(evidence, failover, "redis")
    log = [
        line
        for pod in pods
        for line in evidence.lines(_SAVING, failover.namespace, ref_of(pod).name)
        if any(re.search(pattern, line[1]) for pattern, _, _ in REASONS)
    ]
    text_of_log = " ".join(line for _, line in log)
    _, why, remedy = next(
        (kind for kind in REASONS if re.search(kind[0], text_of_log)), ("", *OTHER)
    )
    which = ", ".join(
        f"{item.ref.name} can't write {' and '.join(_failures(item))}" for item in failing
    )
    return Symptom(
        resource=failover,
        message=f"Redis refuses writes ({WORD}) because it can't save its data: {why}"
        + (f" ({which})." if which else "."),
        remediation=f"{remedy} Redis takes writes again once it has saved.",
        command=evidence_redis.run(ref_of(pods[0]), "redis", "BGSAVE") if pods else "",
        evidence=(*quoted(log, 2), *client_errors[:2]),
    )


RULE = Rule(
    rule_id="redis-misconf",
    title="`MISCONF`: Redis refuses writes, since its volume is full or read-only",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
)
