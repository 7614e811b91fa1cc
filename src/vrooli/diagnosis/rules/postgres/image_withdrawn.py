"""An image of the PostgreSQL operator was withdrawn by its publisher."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, ref_of
from vrooli.kube.status import ContainerStatus, pod_status
from vrooli.operators.pgo.names import CLUSTER_LABEL

WORDS = "no longer available from the Crunchy Data Developer Program"
REGISTRY = "registry.developers.crunchydata.com"
NOT_FOUND_ERRORS = ("not found", "manifest unknown", "denied")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster with a pod whose image was withdrawn."""
    for cluster, _ in postgres.clusters(evidence):
        for pod in evidence.pods({CLUSTER_LABEL: cluster.name}):
            withdrawn = [
                item for item in pod_status(pod).containers if _is_withdrawn(evidence, pod, item)
            ]
            if withdrawn:
                image = withdrawn[0].image
                yield Symptom(
                    resource=cluster,
                    message=f"image {image} cannot be pulled: this container version is no longer "
                    "available from the Crunchy Data Developer Program, which offers only the "
                    "latest versions.",
                    remediation="Set an image that is still available, or one in your own registry "
                    "(pgoPostgresql.image, backup.image, pgBouncer.image), and deploy again.",
                    command=f"kubectl get pods -n {shell.label(cluster.namespace)} -l "
                    f"{CLUSTER_LABEL}={shell.name(cluster.name)} -o "
                    "jsonpath='{..containers[*].image}'",
                    evidence=last_events(evidence, ref_of(pod), "Failed"),
                )
                break


def _is_withdrawn(evidence: Evidence, pod: Body, item: ContainerStatus) -> bool:
    message = item.waiting_message
    events = [event.message for event in evidence.events_of(ref_of(pod), "Failed")]
    words = " ".join([message, *events])
    if WORDS in words:
        return "Pull" in item.waiting_reason
    return item.image.startswith(REGISTRY) and any(word in message for word in NOT_FOUND_ERRORS)


RULE = Rule(
    rule_id="postgres-image-gone",
    title="ImagePullBackOff, `This container version is no longer available from the Crunchy "
    "Data Developer Program`",
    find=find,
    link="https://www.crunchydata.com/developers/terms-of-use",
)
