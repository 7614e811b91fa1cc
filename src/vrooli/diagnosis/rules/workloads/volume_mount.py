"""A pod's volume cannot be mounted, or its claim does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.objects import Body, Ref, ref_of
from vrooli.kube.status import pod_status
from vrooli.kube.status.missing_config import parse_missing_config

EVENTS = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
WAITING = ("ContainerCreating", "PodInitializing")
CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" (?:not found|is being deleted)')
# The kubelet retries at least this often, seconds.
RECENT_S = 180.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a pod that is waiting for a volume."""
    for owner, pod in evidence.current:
        message = _failure(evidence, pod)
        if message:
            claim = CLAIM.search(message)
            yield Symptom(
                resource=Ref("PersistentVolumeClaim", claim[1], owner.namespace)
                if claim
                else owner,
                message=f"pod {ref_of(pod).name} is waiting for a volume: {message}",
                remediation="Create the claim, correct its name, or deploy again."
                if claim
                else f"Fix the storage that the message names. {REDEPLOY_HINT}, or roll back.",
                command=rollback_command(evidence, owner),
                evidence=last_events(evidence, ref_of(pod), *EVENTS, "FailedScheduling"),
            )


def _failure(evidence: Evidence, pod: Body) -> str:
    status = pod_status(pod)
    scheduling = status.scheduling
    if scheduling is not None and status.is_unscheduled and CLAIM.search(scheduling.message):
        return scheduling.message
    if not any(item.waiting_reason in WAITING for item in status.containers):
        return ""
    for event in reversed(evidence.events_of(ref_of(pod), *EVENTS)):
        is_config = parse_missing_config(event.message) is not None
        if not is_config and is_recent(event, evidence.now, RECENT_S):
            return event.message.strip()
    return ""


RULE = Rule(
    rule_id="volume-not-mounted",
    title="FailedMount: a pod is waiting for a volume that cannot be mounted",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/volumes/",
)
