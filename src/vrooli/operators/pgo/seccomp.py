"""A seccomp profile for PostgreSQL's pods, which PGO 5.4 does not set.

Without it they do not meet the restricted pod security standard. PostgresCluster has no field for
it, so the API server adds it to each pod that is created.
"""

from __future__ import annotations

from http import HTTPStatus

from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest, common_labels
from vrooli.operators.pgo import names

API = "admissionregistration.k8s.io/v1"
NAME = "vrooli-postgres-seccomp"
METADATA = {"name": NAME, "labels": {common_labels.MANAGED_BY: "vrooli"}}
# CEL names the type of a field by its path.
CONTEXT = "Object.spec.securityContext"
PROFILE = f'{CONTEXT}.seccompProfile{{type: "RuntimeDefault"}}'
POLICY: Manifest = {
    "apiVersion": API,
    "kind": "MutatingAdmissionPolicy",
    "metadata": METADATA,
    "spec": {
        # If the standard is enforced, it then refuses the pod with its own message.
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ],
            "objectSelector": {
                "matchExpressions": [{"key": names.CLUSTER_LABEL, "operator": "Exists"}]
            },
        },
        "matchConditions": [
            {
                "name": "names-no-profile",
                "expression": "!has(object.spec.securityContext) "
                "|| !has(object.spec.securityContext.seccompProfile)",
            }
        ],
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{spec: Object.spec{securityContext: "
                    f"{CONTEXT}{{seccompProfile: {PROFILE}}}}}}}"
                },
            }
        ],
    },
}
BINDING: Manifest = {
    "apiVersion": API,
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": METADATA,
    "spec": {"policyName": NAME},
}


async def apply(kube: Kube, progress: Progress) -> None:
    """Have the API server add the profile, which it can from Kubernetes 1.36 on."""
    try:
        for manifest in (POLICY, BINDING):
            await kube.apply(manifest)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        progress.report("this Kubernetes cannot add a seccomp profile to PostgreSQL's pods")


async def is_added(kube: Kube) -> bool:
    """Whether the API server is configured to add it."""
    return await kube.get(API, "MutatingAdmissionPolicyBinding", NAME) is not None
