"""The API server accepts every object, including its admission plugins."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.kube import ApiError, Kube, gather_limited

# The namespace of the dry run if the release's namespace does not exist yet.
ANY_NAMESPACE = "default"
# The API server's error for a Role with permissions that its creator lacks (RBAC escalation).
UNHELD = "attempting to grant RBAC permissions not currently held"


async def run(site: Site) -> CheckResult:
    """Apply every object in a dry run."""
    place = await somewhere(site.kube, site.namespace)
    # Helm recreates hooks, so the existing ones do not matter.
    objects = [item for item in site.manifests if not item.is_hook]
    results = await gather_limited(partial(_try, site.kube, place), objects)
    findings = tuple(finding for finding in results if finding is not None)
    return CheckResult(
        f"{len(objects) - len(findings)} of {len(objects)} objects are accepted", findings
    )


async def _try(kube: Kube, place: str, manifest: Manifest) -> Finding | None:
    body: dict[str, Any] = {**manifest.body}
    body["metadata"] = {**body["metadata"], "namespace": place}
    try:
        await kube.applied(body)
    except ApiError as error:
        if error.is_forbidden and "forbidden: User" in error.message:
            return None  # the check of permissions reports it
        if manifest.kind == "RoleBinding" and error.status == HTTPStatus.NOT_FOUND:
            return None  # its Role is created with it and has its own dry run
        if UNHELD in error.message:
            return _unheld(manifest, error.message, place)
        command = "helm template … | kubectl apply --server-side --dry-run=server -f -"
        return Finding("dry-run", manifest.key, error.message, command=command)
    return None


def _unheld(role: Manifest, message: str, place: str) -> Finding:
    """The finding of a Role that grants permissions which this kubeconfig lacks."""
    missing = " ".join(message.partition(UNHELD)[2].strip(" :\n").split())
    return Finding(
        "dry-run",
        role.key,
        "to create a Role, a user must have the permissions that it grants, or `escalate` and "
        f"`bind` on roles; this kubeconfig lacks: {missing}",
        "Ask an administrator for these permissions, or deploy as a user that has them. Without "
        "the rotator (rotation.enabled=false) the release needs no Role.",
        f"kubectl auth can-i escalate roles -n {shell.label(place)}",
    )


async def somewhere(kube: Kube, namespace: str) -> str:
    """The namespace for a dry run; without permission to read namespaces, the release's own."""
    try:
        namespace_body = await kube.get("v1", "Namespace", namespace)
    except ApiError as error:
        if is_forbidden(error):
            return namespace
        raise
    return namespace if namespace_body is not None else ANY_NAMESPACE


CHECK = Check(
    "dry-run",
    "Objects",
    "the API server accepts every object of the release in a strict dry run",
    run,
    after=("namespace", "api-resources"),
    stops_deploy=True,
)
