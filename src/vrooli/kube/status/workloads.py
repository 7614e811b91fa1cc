"""How far Deployments, StatefulSets, DaemonSets, Jobs and volume claims are."""

from __future__ import annotations

from dataclasses import dataclass

from vrooli.kube.objects import Body, number, text
from vrooli.kube.status.conditions import Condition, find_condition, is_observed

BOUND = "Bound"
ON_DELETE = "OnDelete"
# Why a workload without desired pods is not ready.
SCALED_TO_ZERO = "it is scaled to 0 pods"


@dataclass(frozen=True)
class WorkloadStatus:
    """How far the pods of a Deployment, StatefulSet, DaemonSet or ReplicaSet are.

    Attributes:
        desired: Pods that its specification asks for.
        current: Pods that exist.
        updated: Pods of the current version.
        ready: Pods that are ready.
        available: Pods that have been ready for minReadySeconds.
        is_observed: Whether its controller has observed its last change.
        is_rolling: Whether pods of an earlier version are still to be replaced.
        refusal: Why the API server refuses to create its pods; empty if it does not.
        revision: The revision of a StatefulSet's current version; empty for other kinds.
    """

    desired: int
    current: int
    updated: int
    ready: int
    available: int
    is_observed: bool
    is_rolling: bool
    refusal: str = ""
    revision: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether all desired pods are ready, of the current version, and none is replaced."""
        return self.is_observed and not self.is_rolling and self.ready >= self.desired


@dataclass(frozen=True)
class JobStatus:
    """How far a Job is.

    Attributes:
        is_complete: Whether it has succeeded.
        failure: The Failed condition if the Job has given up; else None.
    """

    is_complete: bool
    failure: Condition | None = None


def workload_status(body: Body) -> WorkloadStatus:
    """The status of a workload; the kind decides how its counts are named."""
    if body.get("kind") == "DaemonSet":
        return _daemon_set(body)
    desired = number(body, "spec", "replicas", default=1)
    current, updated = number(body, "status", "replicas"), number(body, "status", "updatedReplicas")
    return WorkloadStatus(
        desired=desired,
        current=current,
        updated=updated,
        ready=number(body, "status", "readyReplicas"),
        available=number(body, "status", "availableReplicas"),
        is_observed=is_observed(body),
        is_rolling=_is_rolling(body, current, updated),
        refusal=_refusal(body),
        revision=text(body, "status", "updateRevision"),
    )


def _daemon_set(body: Body) -> WorkloadStatus:
    current = number(body, "status", "currentNumberScheduled")
    updated = number(body, "status", "updatedNumberScheduled")
    return WorkloadStatus(
        desired=number(body, "status", "desiredNumberScheduled"),
        current=current,
        updated=updated,
        ready=number(body, "status", "numberReady"),
        available=number(body, "status", "numberAvailable"),
        is_observed=is_observed(body),
        is_rolling=updated < current and _strategy(body) != ON_DELETE,
    )


def _is_rolling(body: Body, current: int, updated: int) -> bool:
    """Whether pods of an earlier version remain to be replaced by the controller.

    Source: `kubectl rollout status` (polymorphichelpers/rollout_status.go). Of a StatefulSet with
    a partition only the pods from that ordinal on are replaced; with OnDelete none is.
    """
    if not text(body, "status", "updateRevision"):
        # A Deployment, or a StatefulSet whose controller has not reported revisions.
        return body.get("kind") == "Deployment" and updated < current
    if _strategy(body) == ON_DELETE:
        return False
    if partition := number(body, "spec", "updateStrategy", "rollingUpdate", "partition"):
        return updated < number(body, "spec", "replicas", default=1) - partition
    new = text(body, "status", "updateRevision")
    return text(body, "status", "currentRevision") != new or _has_old_pods(body, current, updated)


def _has_old_pods(body: Body, current: int, updated: int) -> bool:
    # API servers omit a count of 0; fully rolled sets report all their pods as updated.
    return updated < min(current, number(body, "spec", "replicas", default=1))


def _strategy(body: Body) -> str:
    return text(body, "spec", "updateStrategy", "type")


def _refusal(body: Body) -> str:
    failure = find_condition(body, "ReplicaFailure")
    return (failure.message or failure.reason) if failure is not None and failure.is_true else ""


def deployment_unready_reason(deployment: Body | None) -> str | None:
    """Why a Deployment is not ready, in words; None if it is ready."""
    if deployment is None:
        return "its Deployment doesn't exist"
    status = workload_status(deployment)
    if status.desired == 0:
        return SCALED_TO_ZERO
    if not status.is_observed:
        return "its last change isn't observed yet"
    if status.updated < status.desired or status.current > status.updated:
        refusal = f": {status.refusal}" if status.refusal else ""
        return f"{status.updated} of {status.desired} pods are of the current version{refusal}"
    if status.available < status.desired:
        return f"{status.available} of {status.desired} pods are available"
    return None


def stateful_set_unready_reason(stateful_set: Body | None) -> str | None:
    """Why a StatefulSet is not ready, in words; None if it is ready."""
    if stateful_set is None:
        return "its StatefulSet doesn't exist"
    status = workload_status(stateful_set)
    if status.desired == 0:
        return SCALED_TO_ZERO
    if not status.is_observed:
        return "its last change isn't observed yet"
    if status.ready < status.desired:
        return f"{status.ready} of {status.desired} pods are ready"
    return "pods are being replaced" if status.is_rolling else None


def daemon_set_unready_reason(daemon_set: Body) -> str | None:
    """Why a DaemonSet is not ready, in words; None if it is ready."""
    status = _daemon_set(daemon_set)
    if status.desired == 0:
        return "no node takes its pods"
    if not status.is_observed:
        return "its last change isn't observed yet"
    if status.ready < status.desired:
        return f"{status.ready} of {status.desired} pods are ready"
    return "pods are being replaced" if status.is_rolling else None


def job_status(job: Body) -> JobStatus:
    """The status of a Job."""
    complete, failed = find_condition(job, "Complete"), find_condition(job, "Failed")
    return JobStatus(
        is_complete=complete is not None and complete.is_true,
        failure=failed if failed is not None and failed.is_true else None,
    )


def claim_phase(claim: Body) -> str:
    """The phase of a PersistentVolumeClaim; Pending until the API says otherwise."""
    return text(claim, "status", "phase") or "Pending"


def is_claim_bound(claim: Body) -> bool:
    """Whether a PersistentVolumeClaim has its volume."""
    return claim_phase(claim) == BOUND
