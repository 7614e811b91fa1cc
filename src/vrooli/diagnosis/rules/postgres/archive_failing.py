"""PostgreSQL cannot archive its WAL: backups cannot be restored, and the volume fills up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, dig, ref_of, text

WORDS = r"archive command failed with exit code|\[082\]: WAL segment"
AUTO = "postgresql.auto.conf"
STANZA = "db"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster whose last attempt to archive failed."""
    for cluster, _ in postgres.clusters(evidence):
        state = postgres.state(evidence, cluster)
        log = list(recent_lines(evidence, WORDS, pods=f"{cluster.name}-"))
        if dig(state, "archiver", "failing") is not True and not (log and not state):
            continue
        failed = dig(state, "archiver", "failed")
        segment = text(state, "archiver", "last_failed")
        by_hand = AUTO in text(state, "archive_command", "by")
        yield Symptom(
            resource=cluster,
            message="archive command failed with exit code"
            + (f" ({failed} times, last with {segment})" if segment else "")
            + (
                ": archive_command was set with ALTER SYSTEM, which overrides PGO."
                if by_hand
                else ": WAL does not reach the repository and accumulates on the data volume."
            ),
            remediation="Reset that setting."
            if by_hand
            else "Fix the repository: its pod, its volume, the bucket's credentials. Never delete "
            "WAL by hand: PostgreSQL removes it after it is archived.",
            command=_command(evidence, cluster, by_hand=by_hand),
            evidence=(*_lines(state), *quoted(log, 2)),
            # PostgreSQL keeps running until its volume is full.
            can_explain=("postgres-backup-failed", "postgres-disk-full", "job-failed", "not-ready"),
        )


def _command(evidence: Evidence, cluster: Ref, *, by_hand: bool) -> str:
    for pod in postgres.leaders(evidence, cluster):
        if by_hand:
            return postgres.psql(
                pod, "ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()"
            )
        ref = ref_of(pod)
        return (
            f"kubectl exec {shell.name(ref.name)} -n {shell.label(ref.namespace)} -c "
            f"{postgres.CONTAINER} -- "
            f"pgbackrest check --stanza={STANZA}"
        )
    return f"kubectl describe {cluster.words}"


def _lines(state: Mapping[str, Any]) -> tuple[str, ...]:
    if not state:
        return ()
    archiver = dig(state, "archiver") or {}
    return (
        f"pg_stat_archiver: archived {archiver.get('archived')}, failed {archiver.get('failed')}, "
        f"last failed {archiver.get('last_failed')}",
        f"archive_command: {text(state, 'archive_command', 'set')}",
    )


RULE = Rule(
    rule_id="postgres-archive-failing",
    title="`[082]: WAL segment … was not archived`, `archive command failed with exit code`",
    find=find,
    link="https://www.postgresql.org/docs/current/continuous-archiving.html",
)
