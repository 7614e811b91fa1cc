"""An object of the release is not ready: the fallback if no other rule explains it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_moving, is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, creation_time, labels, text
from vrooli.kube.status import is_pod_ready
from vrooli.kube.unavailable import Unavailable
from vrooli.operators.catalog import databases
from vrooli.release.rollout import readiness

DATABASES = databases()


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each object of the release that is not ready, with the reason that a deploy shows."""
    for ref, shortfall in _unready(evidence):
        if not _is_in_progress(evidence, ref):
            yield Symptom(
                resource=ref,
                message=f"not ready: {shortfall}",
                remediation="Check what it is waiting for.",
                command=f"kubectl describe {ref.words}",
                evidence=tuple(str(event) for event in evidence.events_of(ref)[-3:]),
            )


def undecided(evidence: Evidence) -> Iterator[Unavailable]:
    """Yield each object that is not ready, but for too short a time to be a problem."""
    for ref, shortfall in _unready(evidence):
        if _is_in_progress(evidence, ref):
            yield Unavailable(
                str(ref),
                f"it is not ready yet: {shortfall}",
                "Run the command again in a minute.",
                place=(RULE.rule_id, str(ref)),
            )


def _unready(evidence: Evidence) -> Iterator[tuple[Ref, str]]:
    for manifest in evidence.manifests:
        if manifest.is_hook or not evidence.is_readable(manifest.kind):
            continue
        if (shortfall := readiness.unready_reason(manifest, evidence)) is not None:
            yield Ref(manifest.kind, manifest.name, evidence.namespace), shortfall


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


RULE = Rule(
    rule_id="not-ready",
    title="an object of the release is not ready",
    find=find,
    undecided=undecided,
)
