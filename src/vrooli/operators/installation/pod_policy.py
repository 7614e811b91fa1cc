"""Admission policies that change the pods of an operator, where its custom resource has no field.

The operator would revert a change of its StatefulSets. It does not revert a change of a pod at its
creation. The API server makes such changes from Kubernetes 1.36 on (MutatingAdmissionPolicy v1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest, common_labels

API = "admissionregistration.k8s.io/v1"
POD_CREATION = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
}


@dataclass(frozen=True)
class PodPolicy:
    """A change of each new pod that a selector and CEL conditions match.

    `purpose` continues the sentences "this Kubernetes cannot …" and "this kubeconfig may not …".
    """

    name: str
    purpose: str
    selector: Mapping[str, Any]
    conditions: Mapping[str, str]
    mutation: Mapping[str, Any]

    def manifests(self) -> Sequence[Manifest]:
        """The policy and its binding, which has the policy's name."""
        metadata = {"name": self.name, "labels": {common_labels.MANAGED_BY: "vrooli"}}
        conditions = [{"name": name, "expression": cel} for name, cel in self.conditions.items()]
        spec = {
            # An error of the policy must not prevent the pod.
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "resourceRules": [POD_CREATION],
                "objectSelector": dict(self.selector),
            },
            "matchConditions": conditions,
            "mutations": [dict(self.mutation)],
        }
        kind = "MutatingAdmissionPolicy"
        policy = {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}
        binding = {
            "apiVersion": API,
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "spec": {"policyName": self.name},
        }
        return policy, binding


async def apply(policy: PodPolicy, kube: Kube, progress: Progress) -> None:
    """Apply the policy, or report that this API server or this kubeconfig does not allow it."""
    try:
        for manifest in policy.manifests():
            await kube.apply(manifest)
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            subject = "this Kubernetes cannot"
        elif error.is_forbidden:
            subject = "this kubeconfig may not"
        else:
            raise
        progress.report(f"{subject} {policy.purpose}")


async def is_applied(policy: PodPolicy, kube: Kube) -> bool:
    """Whether the API server applies the policy."""
    return await kube.get(API, "MutatingAdmissionPolicyBinding", policy.name) is not None
