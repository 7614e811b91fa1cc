"""This kubeconfig has the permissions of a deploy for each kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.operators import security

# The verbs of a deploy on each kind of object.
VERBS = ("get", "list", "watch", "create", "patch", "delete")
# Other objects of a deploy: Helm's records and its own Lease. Both are replaced by an update.
OWN = (("v1", "Secret"), ("coordination.k8s.io/v1", "Lease"))
OWN_VERBS = (*VERBS, "update")
NAMESPACE = ("v1", "Namespace")


async def run(site: Site) -> CheckResult:
    """Check each verb on each kind, and the verbs that the release's namespace needs."""
    kinds, namespace = await asyncio.gather(_of_kinds(site), _of_namespace(site))
    findings = (*kinds.findings, *namespace.findings)
    return CheckResult(kinds.summary, findings, warnings=namespace.warnings)


async def _of_kinds(site: Site) -> CheckResult:
    kinds = {**dict.fromkeys(site.requirements.kinds, VERBS), **dict.fromkeys(OWN, OWN_VERBS)}
    rules = await site.kube.own_rules(site.namespace)

    async def may(verb: str, api_version: str, kind: str) -> bool:
        resource = await site.kube.plural(api_version, kind)
        # The list of rules may be incomplete: what it does not allow is checked separately.
        if allows(rules, verb, api_version.rpartition("/")[0], resource):
            return True
        return await site.kube.may(verb, api_version, kind, site.namespace)

    async def check_verbs(api_version: str, kind: str, verbs: tuple[str, ...]) -> Finding | None:
        answers = await asyncio.gather(*(may(verb, api_version, kind) for verb in verbs))
        refused = [verb for verb, allowed in zip(verbs, answers, strict=True) if not allowed]
        return refusal(kind, refused, site.namespace) if refused else None

    results = await asyncio.gather(*(check_verbs(*kind, verbs) for kind, verbs in kinds.items()))
    findings = tuple(finding for finding in results if finding is not None)
    message = f"{', '.join(VERBS)} on {len(kinds) - len(findings)} of {len(kinds)} kinds"
    return CheckResult(message, findings)


async def _of_namespace(site: Site) -> CheckResult:
    """Check the permission to create the namespace, if a deploy has to.

    Without the permission to label it, a deploy leaves its pod security as it is.
    """
    body = await security.fetch_namespace(site.kube, site.namespace)
    level = security.RESTRICTED
    if site.of_kind("PostgresCluster"):
        level = await security.of_databases(site.kube, site.namespace)
    if security.has_security_labels(body, level):
        return CheckResult()
    required = ("create", "patch") if body is None else ("patch",)
    answers = await asyncio.gather(
        *(
            site.kube.may(verb, *NAMESPACE, site.namespace, itself=body is not None)
            for verb in required
        )
    )
    refused = [verb for verb, allowed in zip(required, answers, strict=True) if not allowed]
    if not refused:
        return CheckResult()
    if body is None:
        return CheckResult(findings=(_missing(site.namespace, level, refused),))
    reason = "may not be labelled" if body else "may not be read or labelled"
    warning = (
        f"Namespace/{site.namespace} {reason} with this kubeconfig, and keeps its pod security: "
        f"an administrator can run `{_label_command(site.namespace, level)}`"
    )
    return CheckResult(warnings=(warning,))


def _label_command(name: str, level: str) -> str:
    """The command that sets the labels of a namespace."""
    labels = " ".join(
        shell.selector(f"{key}={value}") for key, value in security.security_labels(level).items()
    )
    return f"kubectl label --overwrite namespace {shell.name(name)} {labels}"


def _missing(name: str, level: str, refused: list[str]) -> Finding:
    """The finding of a missing namespace that may not be created."""
    create = f"kubectl create namespace {shell.name(name)}"
    command = " && ".join((create, _label_command(name, level)))
    return Finding(
        "permissions",
        f"Namespace/{name}",
        f"it does not exist, and this kubeconfig may not {', '.join(refused)} it.",
        f"Ask an administrator to run `{command}`.",
        command,
    )


def allows(rules: Iterable[Mapping[str, Any]], verb: str, group: str, resource: str) -> bool:
    """Whether a rule allows a verb on every object of a kind."""

    def has(rule: Mapping[str, Any], field: str, required: str) -> bool:
        return bool({"*", required} & set(rule.get(field) or ()))

    return any(
        has(rule, "verbs", verb)
        and has(rule, "apiGroups", group)
        and has(rule, "resources", resource)
        and not rule.get("resourceNames")
        for rule in rules
    )


def refusal(kind: str, verbs: list[str], namespace: str) -> Finding:
    """The finding of verbs that this kubeconfig may not use."""
    return Finding(
        "permissions",
        kind,
        f"this kubeconfig may not {', '.join(verbs)} it in namespace {namespace}.",
        "Ask an administrator for the missing permissions, or use a different kubeconfig.",
        f"kubectl auth can-i {shell.segment(verbs[0])} {shell.path(kind)} -n "
        f"{shell.label(namespace)}",
    )


CHECK = Check(
    "permissions",
    "Permissions",
    f"{', '.join(VERBS)} on each kind of the release, also update on Helm's Secrets and the "
    "deploy's Lease; create the namespace if necessary. Without the permission to label it, its "
    "pod security stays as it is",
    run,
    after=("api-resources",),
    stops_deploy=True,
)
