"""A volume of PostgreSQL asks for a storage class that doesn't exist."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import Ref, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each cluster with a claim of an unknown class."""
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
            message=f"it is of storage class {class_name}, which doesn't exist (there is "
            f"{', '.join(classes) or 'none'}): PostgreSQL waits for its volume.",
            remediation="Name a class that exists (persistence.postgres.storageClass, "
            "pgoPostgresql.backup.storageClass), deploy again, and delete this claim: a claim's "
            "class can't be changed.",
            command=restore_field_command(evidence, cluster, "spec", "instances")
            or f"kubectl delete {ref.words}",
            evidence=last_events(evidence, ref),
            affects=(cluster,),
        )


RULE = Rule(
    rule_id="postgres-storage-class",
    title="a PostgreSQL volume is Pending: its storage class doesn't exist",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/storage-classes/",
)
