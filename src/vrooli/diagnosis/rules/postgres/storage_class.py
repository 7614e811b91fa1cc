"""A PostgreSQL volume claim references a storage class that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import Ref, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each claim of a cluster whose storage class does not exist."""
    classes = sorted(ref_of(item).name for item in evidence.all("StorageClass"))
    if not evidence.is_readable("StorageClass"):
        return
    for claim in evidence.all("PersistentVolumeClaim"):
        name, class_name = (
            text(labels(claim), CLUSTER_LABEL),
            text(claim, "spec", "storageClassName"),
        )
        waits = text(claim, "status", "phase") == "Pending"
        if not (name and waits and class_name and class_name not in classes):
            continue
        ref = ref_of(claim)
        cluster = Ref("PostgresCluster", name, ref.namespace)
        yield Symptom(
            resource=ref,
            message=f"its storage class {class_name} does not exist (available: "
            f"{', '.join(classes) or 'none'}), so PostgreSQL has no volume.",
            remediation="Set a class that exists (persistence.postgres.storageClass, "
            "pgoPostgresql.backup.storageClass), deploy again and delete this claim: the class of "
            "a claim is immutable.",
            command=restore_field_command(evidence, cluster, "spec", "instances")
            or f"kubectl delete {ref.words}",
            evidence=last_events(evidence, ref),
            affects=(cluster,),
        )


RULE = Rule(
    rule_id="postgres-storage-class",
    title="a PostgreSQL volume claim is Pending: its storage class does not exist",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/storage-classes/",
)
