"""Each operator runs, has its permissions, is offered valid objects, and reconciles its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from vrooli import operators, shell
from vrooli.checks.cluster import admission
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube import ApiError, Manifest
from vrooli.operators import Operator, OperatorStatus, versions
from vrooli.operators.catalog import resources_by_kind
from vrooli.operators.model import INSTALL_COMMAND, Permission, State
from vrooli.operators.progress import changed_at

DEPLOYMENT = ("apps/v1", "Deployment")
LEASE = ("coordination.k8s.io/v1", "Lease")
# An operator that has not observed a change after this time is faulty, seconds.
OBSERVED_S = 60.0
# How far a leader may be late with renewing its lease: clocks differ, seconds.
CLOCK_SKEW_S = 30.0
# How long a deploy waits for an operator that is just restarting, and the poll interval, seconds.
RESTART_S, POLL_S = 10.0, 1.0


async def _check_operator(operator: Operator, site: Site) -> CheckResult:
    if not site.deep:
        return await _check_ready(operator, site)
    status = await operators.status(operator, site.kube)
    if status.state is State.ABSENT:
        return CheckResult(findings=(absent(operator),))
    parts = await asyncio.gather(
        _partial("its permissions", partial(_check_permissions, operator, site, status)),
        _partial("its leader", partial(_check_leader, operator, site, status)),
        _partial("whether a minimal object is valid", partial(_check_sample, operator, site)),
        _partial("its objects", partial(_check_observed, operator, site)),
    )
    findings = [*not_ready(operator, status), *(item for part in parts for item in part.findings)]
    summaries = [_version(status), *(part.summary for part in parts if part.summary)]
    unavailable = tuple(reason for part in parts for reason in part.unavailable)
    return CheckResult("; ".join(summaries), tuple(findings), unavailable, status.notes)


async def _check_ready(operator: Operator, site: Site) -> CheckResult:
    """What a deploy depends on: that the operator exists and is ready."""
    kinds = [(item.api_version, item.kind) for item in operator.resources]
    if not all(await asyncio.gather(*(site.kube.serves(*kind) for kind in kinds))):
        return CheckResult()  # the check of the kinds reports it
    deadline = time.monotonic() + RESTART_S
    status = await operators.status(operator, site.kube)
    while status.state is State.NOT_READY and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
        status = await operators.status(operator, site.kube)
    if status.state is not State.ABSENT:
        is_known = versions.find(operator.name, status.version) is not None
        warnings = () if is_known else status.notes
        return CheckResult(_version(status), tuple(not_ready(operator, status)), warnings=warnings)
    if has_image(operator, await site.kube.list(*DEPLOYMENT)):
        return CheckResult(unavailable=("its health: its Deployment has other labels",))
    return CheckResult(findings=(absent(operator),))


def has_image(operator: Operator, deployments: Iterable[Manifest]) -> bool:
    """Whether a Deployment with any labels runs an image of the operator."""
    return any(
        operator.is_image(str(container.get("image")))
        for item in deployments
        for container in item["spec"]["template"]["spec"]["containers"]
    )


async def _partial(subject: str, check: Callable[[], Awaitable[CheckResult]]) -> CheckResult:
    """A part of a check; a part that this kubeconfig must not read is reported as such."""
    try:
        return await check()
    except VrooliError as error:
        if is_forbidden(error):
            return CheckResult(unavailable=(f"{subject} (permission denied)",))
        raise


def _version(status: OperatorStatus) -> str:
    return f"{status.version} ({status.source}) in {status.namespace}"


def absent(operator: Operator) -> Finding:
    """The finding of an operator that is not installed."""
    return Finding(
        operator.name,
        operator.title,
        "it is not installed.",
        "Install it: `vrooli setup --target k8s-cluster` installs the operators.",
        INSTALL_COMMAND,
    )


def not_ready(operator: Operator, status: OperatorStatus) -> list[Finding]:
    """The finding of an operator whose pods are not ready; none if they are."""
    if status.state is State.READY:
        return []
    command = (
        f"kubectl describe pods -n {shell.label(status.namespace)} -l "
        f"{shell.selector(operator.selector)}"
    )
    remedy = f"Find out why its pods are not ready: `{command}`."
    return [Finding(operator.name, operator.title, f"{status.detail}.", remedy, command)]


async def _check_permissions(operator: Operator, site: Site, status: OperatorStatus) -> CheckResult:
    """Whether its service account has the permissions that it needs."""
    deployments = await site.objects(*DEPLOYMENT, status.namespace, operator.selector)
    spec = deployments[0]["spec"]["template"]["spec"]
    account = (status.namespace, str(spec.get("serviceAccountName", "default")))
    results = await asyncio.gather(
        *(
            _denied(site, account, verb, permission)
            for permission in operator.permissions
            for verb in permission.verbs
        )
    )
    return judge_permissions(operator, account, [item for item in results if item], len(results))


async def _denied(site: Site, account: tuple[str, str], verb: str, permission: Permission) -> str:
    """The verb and the kind that the account lacks; empty if it is allowed."""
    kind, part = permission.kind, permission.subresource
    try:
        is_allowed = await site.kube.may(
            verb, permission.api_version, kind, site.namespace, subresource=part, account=account
        )
    except ApiError as error:
        if is_forbidden(error):
            raise
        return ""  # the kind is not served; the check of the kinds reports it
    return "" if is_allowed else f"{verb} {kind}{f'/{part}' if part else ''}"


def judge_permissions(
    operator: Operator, account: tuple[str, str], denied: list[str], count: int
) -> CheckResult:
    """The result for an operator's permissions.

    Args:
        operator: The operator.
        account: Namespace and name of its service account.
        denied: The permissions that it lacks.
        count: How many were checked.
    """
    if not denied:
        return CheckResult(f"has its {count} permissions")
    namespace, name = account
    command = (
        "kubectl auth can-i --list --as "
        f"system:serviceaccount:{shell.label(namespace)}:{shell.name(name)}"
    )
    finding = Finding(
        operator.name,
        f"ServiceAccount/{name} in {namespace}",
        f"it is not allowed to {', '.join(denied)}.",
        "Reinstall the operator: its roles are part of it.",
        command,
    )
    return CheckResult(findings=(finding,))


async def _check_leader(operator: Operator, site: Site, status: OperatorStatus) -> CheckResult:
    leases = await site.kube.list(*LEASE, status.namespace)
    return judge_leases(operator, status.namespace, leases, datetime.now(UTC))


def judge_leases(
    operator: Operator, namespace: str, leases: Iterable[Manifest], now: datetime
) -> CheckResult:
    """Whether one of an operator's pods is the leader, if they elect one at all."""
    delays = {
        lease["metadata"]["name"]: (now - datetime.fromisoformat(spec["renewTime"])).total_seconds()
        - float(spec.get("leaseDurationSeconds") or 0)
        for lease in leases
        if (spec := lease.get("spec") or {}).get("renewTime")
    }
    if not delays:
        return CheckResult()
    name, delay_s = min(delays.items(), key=lambda item: item[1])
    if delay_s <= CLOCK_SKEW_S:
        return CheckResult("has an active leader")
    command = _log_command(operator, namespace)
    finding = Finding(
        operator.name,
        f"Lease/{name}",
        f"no pod is the leader: the lease expired {delay_s:.0f} s ago.",
        f"Read the log of its pods: `{command}`.",
        command,
    )
    return CheckResult(findings=(finding,))


async def _check_sample(operator: Operator, site: Site) -> CheckResult:
    """Whether the API server accepts the minimal object of its kind in a dry run."""
    body = dict(operator.sample)
    if not await site.kube.serves(str(body["apiVersion"]), str(body["kind"])):
        return CheckResult()  # the check of the kinds reports it
    namespace = await admission.somewhere(site.kube, site.namespace)
    try:
        await site.kube.applied(body, namespace=namespace)
    except ApiError as error:
        if is_forbidden(error):
            raise
        finding = Finding(
            operator.name,
            f"a minimal {body['kind']}",
            f"the API server rejects it: {error.message}",
            "Install the operator and its definitions in the same version.",
            INSTALL_COMMAND,
        )
        return CheckResult(findings=(finding,))
    return CheckResult(f"a {body['kind']} is accepted")


async def _check_observed(operator: Operator, site: Site) -> CheckResult:
    objects: list[Manifest] = []
    for resource in operator.resources:
        if await site.kube.serves(resource.api_version, resource.kind):
            objects += await site.kube.list(resource.api_version, resource.kind)
    return judge_observed(operator, objects, datetime.now(UTC))


def judge_observed(operator: Operator, objects: Iterable[Manifest], now: datetime) -> CheckResult:
    """Whether an operator has observed the last change of each of its objects."""
    items, resources = list(objects), resources_by_kind()
    late = [
        item
        for item in items
        if resources[item["kind"]].is_observed(item) is False
        and (now - changed_at(item)).total_seconds() > OBSERVED_S
    ]
    findings = tuple(
        Finding(
            operator.name,
            f"{item['kind']}/{item['metadata']['name']} in {item['metadata']['namespace']}",
            f"the operator has not observed its last change for {OBSERVED_S:.0f} s or more.",
            "Read the log of its pods.",
            _log_command(operator, operator.namespace),
        )
        for item in late
    )
    return CheckResult(f"reconciles {counted(len(items), 'object')}" if items else "", findings)


def _log_command(operator: Operator, namespace: str) -> str:
    return (
        f"kubectl logs -n {shell.label(namespace)} -l {shell.selector(operator.selector)} --tail 50"
    )


def build_check(operator: Operator) -> Check:
    """The check of one operator."""

    def skip_reason(site: Site) -> str:
        used = {version.partition("/")[0] for version, _ in site.requirements.kinds}
        return "" if operator.groups & used else f"these values have no {operator.sample['kind']}"

    async def run(site: Site) -> CheckResult:
        return await _check_operator(operator, site)

    return Check(
        operator.name,
        operator.title,
        "its pods are ready and one of them is the leader, its service account has the required "
        f"permissions, the API server accepts a minimal {operator.sample['kind']} in a dry run, "
        f"and it has reconciled the current generation of each {', '.join(operator.kinds)}; a "
        "deploy checks only that it is installed and ready",
        run,
        skip_reason,
        stops_deploy=True,
        of_operators=True,
    )


CHECKS = tuple(map(build_check, operators.OPERATORS))
