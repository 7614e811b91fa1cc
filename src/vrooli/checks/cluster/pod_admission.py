"""The API server admits the pods of the release: quotas, limit ranges, pod security, policies.

It judges Deployments and Jobs when they are made, but most of these rules only their pods, which
their controllers create later. A deploy would wait for pods that never come.
"""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from typing import Any

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.cluster import quotas
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.kube import ApiError, gather_limited

# Its service account is created with the release, and each namespace has this one.
ANY_ACCOUNT = "default"
# The API server's errors: this kubeconfig may not create pods; a pod without its account; a quota
# whose amounts no controller has counted yet; and one that is used up, which `quotas` judges for
# all pods together.
NO_PERMISSION = re.compile(r"forbidden: User ")
NO_ACCOUNT = re.compile(r"error looking up service account|serviceaccount .* not found")
UNCOUNTED = re.compile(r"status unknown for quota")
USED_UP = re.compile(r"exceeded quota")
# A webhook with side effects refuses each dry run, and one that fails is an error of the server.
NO_DRY_RUN = re.compile(r"does not support dry run")
REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR)
FIX = (
    "Set what it asks for in the values (resources, labels, securityContext), or ask the owner of "
    "the namespace to admit these pods."
)


async def run(site: Site) -> CheckResult:
    """Apply a pod of each workload in a dry run, and add up what all pods request."""
    namespace = site.namespace
    if await site.kube.get("v1", "Namespace", namespace) is None:
        return CheckResult(f"{namespace} does not exist yet, and has no quotas or limits")
    pods = [pod for item in site.manifests if (pod := _pod(item, namespace)) is not None]
    tried = await gather_limited(partial(_try, site), pods)
    refused = tuple(item for item in tried if isinstance(item, Finding))
    untested = dict.fromkeys(item for item in tried if isinstance(item, str))
    try:
        exceeded = await quotas.exceeded(site)
    except ApiError as error:
        if not is_forbidden(error):
            raise
        exceeded, untested = (), {**untested, f"quotas: {error.message}": None}
    admitted = len(pods) - len(refused)
    summary = "" if untested else f"{admitted} of {len(pods)} kinds of pods are admitted"
    return CheckResult(summary, (*refused, *exceeded), tuple(untested))


def _pod(item: Manifest, namespace: str) -> tuple[Manifest, dict[str, Any]] | None:
    """A pod as the controller of a workload would create it; None for other objects."""
    spec = item.body.get("spec") or {}
    if item.kind == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    elif item.kind not in ("Deployment", "StatefulSet", "Job", "DaemonSet"):
        return None
    template = spec["template"]
    metadata = {**(template.get("metadata") or {})}
    metadata |= {"name": f"{item.name}-dry-run", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    return item, body


async def _try(site: Site, pod: tuple[Manifest, dict[str, Any]]) -> Finding | str | None:
    """The finding of a refused pod, or why it was not tried; None if it is admitted."""
    workload, body = pod
    try:
        await site.kube.applied(body)
    except ApiError as error:
        account = body["spec"].get("serviceAccountName", ANY_ACCOUNT)
        if NO_ACCOUNT.search(error.message) and account != ANY_ACCOUNT:
            spec = {**body["spec"], "serviceAccountName": ANY_ACCOUNT}
            return await _try(site, (workload, {**body, "spec": spec}))
        return _judge(workload, error, site.namespace)
    return None


def _judge(workload: Manifest, error: ApiError, namespace: str) -> Finding | str | None:
    if NO_PERMISSION.search(error.message):
        return "pods: this kubeconfig may not create any"
    if NO_DRY_RUN.search(error.message) or UNCOUNTED.search(error.message):
        return f"pods: {error.message}"
    if NO_ACCOUNT.search(error.message) or USED_UP.search(error.message):
        return None
    if error.status not in REFUSED:
        raise error
    command = f"kubectl describe namespace {shell.name(namespace)}"
    message = f"its pods would be refused: {error.message}"
    return Finding("pod-admission", workload.key, message, FIX, command)


CHECK = Check(
    "pod-admission",
    "Pod admission",
    "the API server accepts a pod of each workload in a dry run (limit ranges, pod security, "
    "admission policies), and the quotas of the namespace have room for all pods of the release, "
    "not counting its running pods; what operators add to pods is not known before",
    run,
    after=("namespace",),
    stops_deploy=True,
)
