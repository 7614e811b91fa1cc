"""All rules, the more specific first: of two about one object the first is the cause.

The order is the only thing that is decided here.
"""

from __future__ import annotations

from vrooli.diagnosis.interface import Rule
from vrooli.diagnosis.rules.cluster import (
    api_service,
    crd_too_long,
    disruption_budget,
    host_suspended,
    nodes,
    quota_exceeded,
    terminating,
    volume_pending,
)
from vrooli.diagnosis.rules.network import (
    certificates,
    clock_skew,
    dns,
    http_route,
    ingress_backend,
    ingress_class,
    ingress_controller,
    network_policy,
    service_endpoints,
    tls_secret,
)
from vrooli.diagnosis.rules.operators import crd_missing, down
from vrooli.diagnosis.rules.postgres import (
    archive_failing,
    backup_failed,
    connections,
    disk_full,
    extension_missing,
    image_missing,
    image_withdrawn,
    no_leader,
    password_differs,
    replica_diverged,
    restore_failed,
    schema_missing,
    schema_permission,
    ssl_off,
    stanza_failed,
    storage_class,
)
from vrooli.diagnosis.rules.redis import (
    auth_key_missing,
    auth_newline,
    auth_secret_missing,
    dead_pod,
    misconf,
    more_replicas,
    sentinel_lost,
    sentinels_joined,
    split_brain,
    wrong_password,
)
from vrooli.diagnosis.rules.redis import unreachable as redis_unreachable
from vrooli.diagnosis.rules.release import (
    helm_state,
    operator_refuses,
    release_missing,
    rotation_waiting,
    rotator_down,
    shared_releases,
    stale_secret,
)
from vrooli.diagnosis.rules.vault import sealed, uninitialised
from vrooli.diagnosis.rules.vault import unreachable as vault_unreachable
from vrooli.diagnosis.rules.vso import (
    account_refused,
    auth_mount,
    cached_token,
    destination_missing,
    login_refused,
    namespace_refused,
    no_answer,
    not_owner,
    policy_denied,
    policy_path_without_data,
    restart_loop,
    role_missing,
    secret_missing,
    template_key,
)
from vrooli.diagnosis.rules.workloads import (
    config_missing,
    crash_loop,
    database_returning,
    evicted,
    exits_at_start,
    image_architecture,
    image_pull,
    inotify_limit,
    job_failed,
    not_ready,
    oom_killed,
    pod_refused,
    probe_failing,
    pull_secret_missing,
    rollout_stuck,
    scaled_to_zero,
    scaler,
    secret_key_missing,
    unschedulable,
    volume_mount,
)

# The cluster, its nodes, its DNS.
CLUSTER: tuple[Rule, ...] = (
    release_missing.NAMESPACE_MISSING,
    release_missing.RELEASE_MISSING,
    host_suspended.RULE,
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
BELOW: tuple[Rule, ...] = (
    vault_unreachable.RULE,
    uninitialised.RULE,
    sealed.RULE,
    no_answer.RULE,
    *down.RULES,
    crd_too_long.RULE,
    *crd_missing.RULES,
)
# The databases and the secrets.
DATA: tuple[Rule, ...] = (
    role_missing.RULE,
    namespace_refused.RULE,
    account_refused.RULE,
    auth_mount.RULE,
    login_refused.RULE,
    secret_missing.RULE,
    policy_path_without_data.RULE,
    policy_denied.RULE,
    cached_token.RULE,
    destination_missing.RULE,
    not_owner.RULE,
    template_key.RULE,
    restart_loop.RULE,
    rotator_down.RULE,
    rotation_waiting.RULE,
    stale_secret.RULE,
    auth_secret_missing.RULE,
    auth_key_missing.RULE,
    auth_newline.RULE,
    secret_key_missing.RULE,
    more_replicas.RULE,
    dead_pod.RULE,
    wrong_password.RULE,
    split_brain.RULE,
    sentinels_joined.RULE,
    sentinel_lost.RULE,
    misconf.RULE,
    redis_unreachable.RULE,
    restore_failed.RULE,
    image_missing.RULE,
    image_withdrawn.RULE,
    storage_class.RULE,
    password_differs.RULE,
    stanza_failed.RULE,
    archive_failing.RULE,
    disk_full.RULE,
    schema_permission.RULE,
    schema_missing.RULE,
    extension_missing.RULE,
    ssl_off.RULE,
    connections.RULE,
    backup_failed.RULE,
    operator_refuses.RULE,
    no_leader.RULE,
    replica_diverged.RULE,
)
# Deploys, and the network around the workloads.
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
    http_route.RULE,
    service_endpoints.RULE,
    scaler.RULE,
)
# Workloads, in the order of a pod's life cycle.
WORKLOADS: tuple[Rule, ...] = (
    scaled_to_zero.RULE,
    quota_exceeded.RULE,
    pod_refused.RULE,
    unschedulable.RULE,
    volume_mount.RULE,
    config_missing.RULE,
    pull_secret_missing.RULE,
    image_pull.RULE,
    evicted.RULE,
    oom_killed.RULE,
    image_architecture.RULE,
    inotify_limit.RULE,
    exits_at_start.RULE,
    database_returning.RULE,
    probe_failing.RULE,
    crash_loop.RULE,
    job_failed.RULE,
)
# Consequences, unless no other rule explains them.
LAST: tuple[Rule, ...] = (terminating.RULE, rollout_stuck.RULE, not_ready.RULE)

ALL: tuple[Rule, ...] = (*CLUSTER, *BELOW, *DATA, *AROUND, *WORKLOADS, *LAST)
