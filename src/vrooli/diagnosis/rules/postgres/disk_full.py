"""The volume of a PostgreSQL instance is full or almost full."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, items, ref_of, text

FULL_PERCENT = 97
# Free space in KiB that is enough: on a large volume 3 % is a lot.
FREE_KIB = 1024 * 1024
WORDS = r"No space left on device"
COLUMNS = 6


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each instance whose volume is full, as df or its log reports."""
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
                + (f": /pgdata of {ref.name} is {used} % full" if used else "")
                + ". PostgreSQL stops when it cannot write its WAL.",
                remediation="If archiving fails, fix it first: WAL accumulates until it works. "
                "Then enlarge the volume with `vrooli grow postgres SIZE`; while PostgreSQL does "
                "not answer, its storage class must allow expansion. Never delete WAL by hand.",
                command=f"kubectl get pvc {shell.name(claim)} -n {shell.label(ref.namespace)}"
                if claim
                else f"kubectl get pvc -n {shell.label(ref.namespace)}",
                evidence=(*([line] if line else []), *quoted(log, 2)),
            )
            break


def _used(line: str) -> tuple[int, int]:
    """Percent used and free KiB from a line of df; zeros for any other line."""
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
