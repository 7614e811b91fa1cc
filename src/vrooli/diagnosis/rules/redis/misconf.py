"""Redis rejects every write because it cannot save its data to its volume."""

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
# Fields of `INFO persistence`: the last write of the snapshot and of the append-only file.
STATUSES = {"rdb_last_bgsave_status": "a snapshot", "aof_last_write_status": "its append-only file"}
# Errors of the kernel in the Redis log: pattern, cause, remediation.
REASONS = (
    (
        r"No space left on device|Disk quota exceeded",
        "its volume is full",
        "Expand the volume (persistence.redis.size; its storage class must allow expansion), or "
        "delete other files on it.",
    ),
    (
        r"Read-only file system",
        "its volume is read-only",
        "Find out why the node mounts it read-only: check the storage events and the node's kernel "
        "log (the kernel remounts a file system with errors read-only).",
    ),
    (
        r"Permission denied",
        "it has no write permission on its volume",
        "Check the owner of /data in the pod and the pod's fsGroup.",
    ),
    (r"(?i)cannot allocate memory", "the node has no memory for it", "Give Redis more memory."),
)
OTHER = ("its log shows the cause", "Check its log for save errors.")
_SAVING = r"(?i)error saving|bgsave|rdb|aof|append only|opening the temp"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover with a Redis that cannot save, as Redis or its clients report."""
    for failover, _ in evidence_redis.failovers(evidence):
        redis = evidence_redis.replies(evidence, failover, "redis")
        failing = [item for item in redis if _failures(item)]
        client_errors = _client_errors(evidence)
        # Every Redis reports successful saves: the errors of the clients are in the past.
        is_over = bool(redis) and all(_can_save(item) for item in redis)
        if failing or (client_errors and not is_over):
            yield _symptom(evidence, failover, failing, client_errors)


def _failures(item: Reply) -> list[str]:
    return [what for name, what in STATUSES.items() if item.facts.get(name) == "err"]


def _can_save(item: Reply) -> bool:
    return all(item.facts.get(name) == "ok" for name in STATUSES)


def _client_errors(evidence: Evidence) -> list[str]:
    """The MISCONF errors of Redis clients, from their health reports and their logs."""
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
        f"{item.ref.name} cannot write {' and '.join(_failures(item))}" for item in failing
    )
    return Symptom(
        resource=failover,
        message=f"Redis rejects writes ({WORD}) because it cannot save its data: {why}"
        + (f" ({which})." if which else "."),
        remediation=f"{remedy} Redis accepts writes again after a successful save.",
        command=evidence_redis.run(ref_of(pods[0]), "redis", "BGSAVE") if pods else "",
        evidence=(*quoted(log, 2), *client_errors[:2]),
    )


RULE = Rule(
    rule_id="redis-misconf",
    title="`MISCONF`: Redis rejects writes because its volume is full or read-only",
    find=find,
    link="https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
)
