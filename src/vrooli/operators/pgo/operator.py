"""PGO, the PostgreSQL operator of Crunchy Data: PostgresCluster."""

from __future__ import annotations

from vrooli.operators import reconciliation
from vrooli.operators.custom_resource import CustomResource, build_sample
from vrooli.operators.model import MANAGE, WATCH, Operator, Permission
from vrooli.operators.pgo import images, install, names, readiness, reconcile_log, volumes

CLUSTER = CustomResource(
    names.API_VERSION,
    names.KIND,
    "postgresclusters",
    readiness=readiness.unready_reason,
    summary=readiness.summary,
    refused_changes=readiness.refused_changes,
    pending_changes=readiness.pending_changes,
    volume_specs=volumes.volume_specs,
    generation_field="observedGeneration",
    pod_label=names.CLUSTER_LABEL,
)
PERMISSIONS = (
    Permission(WATCH, names.API_VERSION, names.KIND),
    Permission(("patch",), names.API_VERSION, names.KIND, "status"),
    Permission(MANAGE, "apps/v1", "StatefulSet"),
    Permission(MANAGE, "apps/v1", "Deployment"),
    Permission(("create",), "batch/v1", "Job"),
    *(Permission(("create",), "v1", kind) for kind in ("Secret", "Service", "ConfigMap")),
    Permission(("create",), "v1", "PersistentVolumeClaim"),
    Permission(("create",), "v1", "Pod", "exec"),
)
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
SAMPLE = build_sample(
    CLUSTER,
    {
        "postgresVersion": 15,
        "instances": [{"name": "one", "replicas": 1, "dataVolumeClaimSpec": CLAIM}],
        "backups": {
            "pgbackrest": {"repos": [{"name": "repo1", "volume": {"volumeClaimSpec": CLAIM}}]}
        },
    },
)
# Version 5.8.2 from its vendor; a commit before 5.4 from the Go module.
PGO = Operator(
    name="postgres-operator",
    title="PostgreSQL operator (PGO)",
    subject="PGO, the PostgreSQL operator,",
    outage="changes, passwords, backups and new instances of PostgreSQL wait for it",
    namespace=names.NAMESPACE,
    # The vendor's chart sets the label to "pgo", its kustomization to "postgres-operator".
    selector=names.CONTROL_PLANE_LABEL,
    vendor=install.VENDOR,
    distributions=install.DISTRIBUTIONS,
    inputs=install.inputs,
    install=install.install,
    resources=(CLUSTER,),
    permissions=PERMISSIONS,
    metrics_port=8080,
    unreconciled=reconciliation.uncounted,
    sample=SAMPLE,
    reconcile_errors=reconcile_log.reconcile_errors,
    is_restricted=install.is_restricted,
    unsupported=images.unsupported_clusters,
)
