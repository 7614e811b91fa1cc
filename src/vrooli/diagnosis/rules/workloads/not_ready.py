"""An object of the release is not ready: the fallback if no other rule explains it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_moving, is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, creation_time, labels, text
from vrooli.kube.status import is_pod_ready
from vrooli.operators.catalog import databases
from vrooli.release.rollout import readiness

DATABASES = databases()


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each object of the release that is not ready, with the reason that a deploy shows."""
    manifests = [
        item for item in evidence.manifests if not item.is_hook and evidence.is_readable(item.kind)
    ]
    for manifest in manifests:
        shortfall = readiness.unready_reason(manifest, evidence)
        ref = Ref(manifest.kind, manifest.name, evidence.namespace)
        if shortfall is None or _is_in_progress(evidence, ref):
            continue
        yield Symptom(
            resource=ref,
            message=f"not ready: {shortfall}",
            remediation="Check what it is waiting for.",
            command=f"kubectl describe {ref.words}",
            evidence=tuple(str(event) for event in evidence.events_of(ref)[-3:]),
        )


def _is_in_progress(evidence: Evidence, ref: Ref) -> bool:
    """Whether a recent deploy or new pods explain the state."""
    since = evidence.helm.deployed_at
    if since is not None and (evidence.now - since).total_seconds() < MOVING_S:
        return True
    if evidence.get(ref) is None:
        return False
    resource = DATABASES.get(ref.kind)
    if resource is None:
        return is_moving(evidence, ref)
    return any(
        text(labels(pod), resource.pod_label) == ref.name
        and not is_pod_ready(pod)
        and not is_older(evidence, creation_time(pod), MOVING_S)
        for pod in evidence.all("Pod")
    )


RULE = Rule(rule_id="not-ready", title="an object of the release is not ready", find=find)
