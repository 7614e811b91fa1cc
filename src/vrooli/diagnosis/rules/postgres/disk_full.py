"""The volume of a PostgreSQL instance is full, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, items, ref_of, text

FULL_PERCENT = 97
# Space that is left in KiB: of a large volume 3 % are much.
FREE_KIB = 1024 * 1024
WORDS = r"No space left on device"
COLUMNS = 6


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each instance whose volume is full, by itself or in its log."""
    for cluster, _ in postgres.clusters(evidence):
        for pod in postgres.instances(evidence, cluster):
            ref = ref_of(pod)
            answer = evidence.answer(postgres_state.DISK, ref)
            line = answer.text.strip().splitlines()[-1] if answer and answer.text.strip() else ""
            log = list(recent_lines(evidence, WORDS, pods=ref.name))
            used, free = _used(line)
            if not log and not (used >= FULL_PERCENT and free < FREE_KIB):
                continue
            claim = _claim(pod)
            yield Symptom(
                resource=cluster,
                message="No space left on device"
                + (f": /pgdata of {ref.name} is used to {used} %" if used else "")
                + ". PostgreSQL stops when it can't write its WAL.",
                remediation="Fix archiving first, if it fails: WAL piles up while it does. Then "
                "give the volume more room (persistence.postgres.size; its storage class must "
                "allow it). Never delete WAL by hand.",
                command=f"kubectl get pvc {claim} -n {ref.namespace}"
                if claim
                else f"kubectl get pvc -n {ref.namespace}",
                evidence=(*([line] if line else []), *quoted(log, 2)),
            )
            break


def _used(line: str) -> tuple[int, int]:
    """Percent used and KiB left, as df says them."""
    parts = line.split()
    if len(parts) < COLUMNS or not parts[4].rstrip("%").isdigit() or not parts[3].isdigit():
        return 0, 0
    return int(parts[4].rstrip("%")), int(parts[3])


def _claim(pod: Body) -> str:
    for volume in items(pod, "spec", "volumes"):
        if volume.get("name") == "postgres-data":
            return text(volume, "persistentVolumeClaim", "claimName")
    return ""


RULE = Rule(
    rule_id="postgres-disk-full",
    title="`No space left on device`: a PostgreSQL volume is full",
    find=find,
    link="https://www.postgresql.org/docs/current/disk-full.html",
)
