"""The status of objects: whether they are ready, and why not.

Here belong the conditions, pods, workloads, Jobs, volume claims and failed image pulls of the
Kubernetes API itself. Custom resources' own status belongs to `vrooli.operators`; sentences that
only one command shows belong to that command. No I/O here.
"""

from vrooli.kube.status.conditions import Condition, find_condition, has_condition, is_observed
from vrooli.kube.status.pods import (
    ContainerStatus,
    PodStatus,
    Termination,
    format_pod_problems,
    has_ended,
    is_pod_ready,
    pod_status,
)
from vrooli.kube.status.routes import (
    GATEWAY_API,
    Parent,
    RouteProblem,
    backends_of,
    controllers_of,
    parents_of,
    route_problems,
    route_unready_reason,
)
from vrooli.kube.status.workloads import (
    SCALED_TO_ZERO,
    JobStatus,
    WorkloadStatus,
    claim_phase,
    daemon_set_unready_reason,
    deployment_unready_reason,
    is_claim_bound,
    job_status,
    stateful_set_unready_reason,
    workload_status,
)

__all__ = [
    "GATEWAY_API",
    "SCALED_TO_ZERO",
    "Condition",
    "ContainerStatus",
    "JobStatus",
    "Parent",
    "PodStatus",
    "RouteProblem",
    "Termination",
    "WorkloadStatus",
    "backends_of",
    "claim_phase",
    "controllers_of",
    "daemon_set_unready_reason",
    "deployment_unready_reason",
    "find_condition",
    "format_pod_problems",
    "has_condition",
    "has_ended",
    "is_claim_bound",
    "is_observed",
    "is_pod_ready",
    "job_status",
    "parents_of",
    "pod_status",
    "route_problems",
    "route_unready_reason",
    "stateful_set_unready_reason",
    "workload_status",
]
