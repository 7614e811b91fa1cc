"""A seccomp profile for PostgreSQL's pods, which PGO 5.4 doesn't name.

It is all that they lack to be within the restricted pod security standard. PostgresCluster has no
field for it, so the API server adds it to each pod as it is made.
"""

from __future__ import annotations

from http import HTTPStatus

from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest

API = "admissionregistration.k8s.io/v1"
NAME = "vrooli-postgres-seccomp"
METADATA = {"name": NAME, "labels": {"app.kubernetes.io/managed-by": "vrooli"}}
# CEL's name of the type of each field is the path to it.
CONTEXT = "Object.spec.securityContext"
PROFILE = f'{CONTEXT}.seccompProfile{{type: "RuntimeDefault"}}'
POLICY: Manifest = {
    "apiVersion": API,
    "kind": "MutatingAdmissionPolicy",
    "metadata": METADATA,
    "spec": {
        # Where the standard is enforced, it then refuses the pod with its own words.
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
                "matchExpressions": [
                    {"key": "postgres-operator.crunchydata.com/cluster", "operator": "Exists"}
                ]
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
    """Have the profile added, where the API server can: from Kubernetes 1.36 on."""
    try:
        for manifest in (POLICY, BINDING):
            await kube.apply(manifest)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        progress.report("this Kubernetes can't add a seccomp profile to PostgreSQL's pods")


async def is_added(kube: Kube) -> bool:
    """Whether the API server was told to add it."""
    return await kube.get(API, "MutatingAdmissionPolicyBinding", NAME) is not None
