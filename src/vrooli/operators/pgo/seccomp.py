"""A seccomp profile for PostgreSQL's pods, which PGO 5.4 does not set.

Without it they do not meet the restricted pod security standard, and PostgresCluster has no field
for it. If the standard is enforced, it refuses a pod without a profile with its own message.
"""

from __future__ import annotations

from vrooli.operators.installation.pod_policy import PodPolicy
from vrooli.operators.pgo import names

# CEL names the type of a field by its path.
CONTEXT = "Object.spec.securityContext"
PROFILE = f'{CONTEXT}.seccompProfile{{type: "RuntimeDefault"}}'
POLICY = PodPolicy(
    name="vrooli-postgres-seccomp",
    purpose="add a seccomp profile to PostgreSQL's pods",
    selector={"matchExpressions": [{"key": names.CLUSTER_LABEL, "operator": "Exists"}]},
    conditions={
        "names-no-profile": "!has(object.spec.securityContext) "
        "|| !has(object.spec.securityContext.seccompProfile)"
    },
    mutation={
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {
            "expression": "Object{spec: Object.spec{securityContext: "
            f"{CONTEXT}{{seccompProfile: {PROFILE}}}}}}}"
        },
    },
)
