"""The API server would take every object, its admission included."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.kube import ApiError, Kube, gather_limited

# Where objects of a namespace that isn't there yet are tried.
ANY_NAMESPACE = "default"
# The API server's words for a Role that grants more than its maker may do (RBAC's escalation).
UNHELD = "attempting to grant RBAC permissions not currently held"


async def run(site: Site) -> CheckResult:
    """Try every object without making it."""
    place = await somewhere(site.kube, site.namespace)
    # Helm makes hooks anew, so what is there of them says nothing.
    objects = [item for item in site.manifests if not item.is_hook]
    results = await gather_limited(partial(_try, site.kube, place), objects)
    findings = tuple(finding for finding in results if finding is not None)
    return CheckResult(
        f"{len(objects) - len(findings)} of {len(objects)} objects would be taken", findings
    )


async def _try(kube: Kube, place: str, manifest: Manifest) -> Finding | None:
    body: dict[str, Any] = {**manifest.body}
    body["metadata"] = {**body["metadata"], "namespace": place}
    try:
        await kube.applied(body)
    except ApiError as error:
        if error.is_forbidden and "forbidden: User" in error.message:
            return None  # said by the rights, in better words
        if manifest.kind == "RoleBinding" and error.status == HTTPStatus.NOT_FOUND:
            return None  # its Role goes there with it, and is tried itself
        if UNHELD in error.message:
            return _unheld(manifest, error.message, place)
        command = "helm template … | kubectl apply --server-side --dry-run=server -f -"
        return Finding("dry-run", manifest.key, error.message, command=command)
    return None


def _unheld(role: Manifest, message: str, place: str) -> Finding:
    """What is said of a Role that grants rights which this kubeconfig doesn't hold itself."""
    missing = " ".join(message.partition(UNHELD)[2].strip(" :\n").split())
    return Finding(
        "dry-run",
        role.key,
        "who makes a Role must hold the rights that it grants, or `escalate` and `bind` on roles; "
        f"this kubeconfig lacks: {missing}",
        "Have them granted to whoever deploys, or let somebody deploy who holds them. Without the "
        "rotator (rotation.enabled=false) the release needs no Role.",
        f"kubectl auth can-i escalate roles -n {place}",
    )


async def somewhere(kube: Kube, namespace: str) -> str:
    """A namespace to try objects in; who may not look has been given one."""
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
