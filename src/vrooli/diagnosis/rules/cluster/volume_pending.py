"""A claim gets no volume: the class does not exist, there is no default, or provisioning fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import down, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command
from vrooli.kube.classes import DEFAULT_STORAGE, is_default
from vrooli.kube.objects import Body, Ref, creation_time, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL

# How long a provisioner may take, seconds.
PROVISION_S = 20.0
WAITS = "WaitForFirstConsumer"
FAILED = ("ProvisioningFailed", "FailedBinding")
# The event when an external provisioner is requested; no event follows if none responds.
EXTERNAL, ANSWERS_S = "ExternalProvisioning", 60.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each pending claim that will not be bound without a fix."""
    for claim in evidence.all("PersistentVolumeClaim"):
        if text(claim, "status", "phase") == "Pending":
            yield from _symptoms(evidence, claim)


def _symptoms(evidence: Evidence, claim: Body) -> Iterator[Symptom]:
    ref, class_name = ref_of(claim), text(claim, "spec", "storageClassName")
    classes = {ref_of(item).name: item for item in evidence.all("StorageClass")}
    events = last_events(evidence, ref)
    has_default = any(map(is_default, classes.values()))
    if not class_name and not has_default:
        yield _no_class(ref, sorted(classes), events)
    elif class_name and evidence.is_readable("StorageClass") and class_name not in classes:
        # The rule postgres-storage-class covers the claims of PostgreSQL.
        if not text(labels(claim), CLUSTER_LABEL):
            yield _unknown_class(ref, class_name, sorted(classes), events)
    elif provisioner := _provisioner(evidence, classes.get(class_name, {})):
        yield Symptom(
            resource=provisioner,
            message=f"the volumes of {class_name} are not provisioned: "
            f"{down(evidence, provisioner)}",
            remediation="Start the provisioner.",
            command=recover_command(evidence, provisioner),
            evidence=events,
            affects=(ref,),
        )
    elif failure := _failure(evidence, claim):
        yield Symptom(
            resource=ref,
            message=f"no volume is provisioned: {failure}",
            remediation="Fix what the provisioner reports.",
            command=f"kubectl describe {ref.words}",
            evidence=events,
        )


def _no_class(ref: Ref, classes: list[str], events: tuple[str, ...]) -> Symptom:
    first = classes[0] if classes else ""
    command = (
        f"kubectl annotate storageclass {shell.name(first)} {DEFAULT_STORAGE}=true --overwrite"
    )
    return Symptom(
        resource=ref,
        message="it has no storage class, and the cluster has no default class (available: "
        f"{', '.join(classes) or 'none'})",
        remediation="Make a class the default, or set one (persistence.*.storageClass).",
        command=command if classes else "kubectl get storageclass",
        evidence=events,
    )


def _unknown_class(
    ref: Ref, class_name: str, classes: list[str], events: tuple[str, ...]
) -> Symptom:
    return Symptom(
        resource=ref,
        message=f"its storage class {class_name} does not exist (available: "
        f"{', '.join(classes) or 'none'})",
        remediation="Create the class, or set one that exists (persistence.*.storageClass) and "
        "recreate the claim: the class of a claim is immutable.",
        command=f"kubectl delete {ref.words}",
        evidence=events,
    )


def _failure(evidence: Evidence, claim: Body) -> str:
    """The reason why a claim is pending; empty while provisioning may still succeed."""
    failed = evidence.events_of(ref_of(claim), *FAILED)
    if failed and is_older(evidence, creation_time(claim), PROVISION_S):
        return failed[-1].message.strip()
    for event in evidence.events_of(ref_of(claim), EXTERNAL)[:1]:
        since = event.first.isoformat() if event.first else creation_time(claim)
        return event.message.strip() if is_older(evidence, since, ANSWERS_S) else ""
    return ""


def _provisioner(evidence: Evidence, kind: Body) -> Ref | None:
    """The provisioner's Deployment if it is down, matched by the words in its name."""
    words = set(re.split(r"[^a-z0-9]+", text(kind, "provisioner").lower())) - {"io", "com", "csi"}
    for body in evidence.all("Deployment", ""):
        ref = ref_of(body)
        if ref.namespace == evidence.namespace:
            continue
        named = set(ref.name.split("-"))
        if words and len(words & named) > 1 and down(evidence, ref):
            return ref
    return None


RULE = Rule(
    rule_id="volume-pending",
    title="a claim is Pending: no class, no default class, no provisioner",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/",
)
