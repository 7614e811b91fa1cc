"""The Spotahome Redis operator: RedisFailover."""

from __future__ import annotations

from vrooli.operators.custom_resource import CustomResource, build_sample
from vrooli.operators.model import MANAGE, WATCH, Operator, Permission
from vrooli.operators.redis import install, names, readiness, reconcile_log, volumes

FAILOVER = CustomResource(
    names.API_VERSION,
    names.KIND,
    "redisfailovers",
    readiness=readiness.unready_reason,
    summary=readiness.summary,
    refused_changes=readiness.refused_changes,
    pending_changes=readiness.pending_changes,
    volume_specs=volumes.volume_specs,
    pod_label=names.FAILOVER_LABEL,
)
PERMISSIONS = (
    Permission(WATCH, names.API_VERSION, names.KIND),
    Permission(MANAGE, "apps/v1", "StatefulSet"),
    Permission(MANAGE, "apps/v1", "Deployment"),
    Permission(("create",), "v1", "Service"),
    Permission(("create",), "v1", "ConfigMap"),
    Permission(("get",), "v1", "Secret"),
    Permission(("list", "update"), "v1", "Pod"),
)
# Version 1.2.4 from either source; its chart there is 3.2.7, and 3.2.6 in the Go module.
REDIS = Operator(
    name="redis-operator",
    title="Redis operator (Spotahome)",
    subject="the Redis operator",
    outage="Redis does not fail over and its changes are not applied",
    namespace=names.NAMESPACE,
    selector="app.kubernetes.io/name=redis-operator",
    vendor=install.VENDOR,
    distributions=install.DISTRIBUTIONS,
    inputs=install.inputs,
    install=install.install,
    resources=(FAILOVER,),
    permissions=PERMISSIONS,
    metrics_port=9710,
    unreconciled=readiness.unreconciled,
    sample=build_sample(FAILOVER, {"redis": {"replicas": 1}, "sentinel": {"replicas": 1}}),
    reconcile_errors=reconcile_log.reconcile_errors,
)
