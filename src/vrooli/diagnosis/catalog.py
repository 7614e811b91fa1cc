"""Every rule, the more specific before the more general: of two about one object the first is why.

The order is the only thing that is decided here.
"""

from __future__ import annotations

from vrooli.diagnosis.interface import Rule
from vrooli.diagnosis.rules import (
    api_service,
    certificates,
    clock_skew,
    config_missing,
    crash_loop,
    disruption_budget,
    dns,
    evicted,
    exits_at_start,
    helm_state,
    image_pull,
    ingress_backend,
    ingress_class,
    ingress_controller,
    job_failed,
    network_policy,
    nodes,
    not_ready,
    oom_killed,
    pod_refused,
    probe_failing,
    pull_secret_missing,
    quota_exceeded,
    release_missing,
    rollout_stuck,
    scaler,
    service_endpoints,
    shared_releases,
    terminating,
    tls_secret,
    unschedulable,
    vault_sealed,
    volume_mount,
    volume_pending,
)

# What the whole release stands on: the cluster, its nodes, its DNS.
CLUSTER: tuple[Rule, ...] = (
    release_missing.NAMESPACE_MISSING,
    release_missing.RELEASE_MISSING,
    nodes.NOT_READY,
    nodes.PRESSURE,
    disruption_budget.RULE,
    clock_skew.RULE,
    network_policy.RULE,
    dns.RULE,
    api_service.RULE,
    volume_pending.RULE,
)
# The operators and Vault.
BELOW: tuple[Rule, ...] = (vault_sealed.RULE,)
# The databases and the secrets.
DATA: tuple[Rule, ...] = ()
# What a deploy leaves behind, and what stands around the workloads.
AROUND: tuple[Rule, ...] = (
    helm_state.HELM_PENDING,
    helm_state.LEASE_STALE,
    shared_releases.RULE,
    certificates.EXPIRED,
    certificates.ENDS_SOON,
    tls_secret.RULE,
    ingress_controller.RULE,
    ingress_class.RULE,
    ingress_backend.RULE,
    service_endpoints.RULE,
    scaler.RULE,
)
# Any workload's troubles, in the order in which a pod comes to life.
WORKLOADS: tuple[Rule, ...] = (
    quota_exceeded.RULE,
    pod_refused.RULE,
    unschedulable.RULE,
    volume_mount.RULE,
    config_missing.RULE,
    pull_secret_missing.RULE,
    image_pull.RULE,
    evicted.RULE,
    oom_killed.RULE,
    exits_at_start.RULE,
    probe_failing.RULE,
    crash_loop.RULE,
    job_failed.RULE,
)
# What is only ever a consequence, unless nothing else explains it.
LAST: tuple[Rule, ...] = (terminating.RULE, rollout_stuck.RULE, not_ready.RULE)

ALL: tuple[Rule, ...] = (*CLUSTER, *BELOW, *DATA, *AROUND, *WORKLOADS, *LAST)
