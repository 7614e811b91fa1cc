"""Each operator runs, may do its work, takes an object of its kind, and looks at those it has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from vrooli import operators
from vrooli.checks.cluster import admission
from vrooli.checks.interface import Check, Seen, Site
from vrooli.checks.operators import requirements
from vrooli.checks.operators.requirements import OperatorNeeds
from vrooli.checks.runner import is_forbidden
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError, Manifest
from vrooli.operators import OperatorStatus
from vrooli.operators.interface import State

DEPLOYMENT = ("apps/v1", "Deployment")
LEASE = ("coordination.k8s.io/v1", "Lease")
# An operator that hasn't looked at a change for so long doesn't work, seconds.
OBSERVED_S = 60.0
# How far a leader's last sign of life may lie back, beyond its lease: clocks differ, seconds.
CLOCKS_S = 30.0
# How long a deploy waits for one that is just being restarted, and between two looks, seconds.
SETTLES_S, PAUSE_S = 10.0, 1.0


async def _look(asked: OperatorNeeds, site: Site) -> Seen:
    if not site.deep:
        return await _runs(asked, site)
    status = await operators.status(asked.operator, site.kube)
    if status.state is State.ABSENT:
        return Seen(findings=(absent(asked),))
    parts = await asyncio.gather(
        _seen("its rights", _rights(asked, site, status)),
        _seen("its leader", _leader(asked, site, status)),
        _seen("whether it takes an object", _takes(asked, site)),
        _seen("its objects", _observes(asked, site)),
    )
    findings = [*not_ready(asked, status), *(found for part in parts for found in part.findings)]
    said = [_version(status), *(part.found for part in parts if part.found)]
    unseen = tuple(what for part in parts for what in part.unseen)
    return Seen("; ".join(said), tuple(findings), unseen)


async def _runs(asked: OperatorNeeds, site: Site) -> Seen:
    """What a deploy stands on: that it is there, and ready. A deploy can't be told to go on."""
    if not all(await asyncio.gather(*(site.kube.serves(*kind) for kind in asked.kinds))):
        return Seen()  # told by the kinds
    deadline = time.monotonic() + SETTLES_S
    status = await operators.status(asked.operator, site.kube)
    while status.state is State.NOT_READY and time.monotonic() < deadline:
        await asyncio.sleep(PAUSE_S)
        status = await operators.status(asked.operator, site.kube)
    if status.state is not State.ABSENT:
        return Seen(_version(status), tuple(not_ready(asked, status)))
    if is_run(asked, await site.kube.list(*DEPLOYMENT)):
        return Seen(unseen=("how it is: its Deployment has labels of its own",))
    return Seen(findings=(absent(asked),))


def is_run(asked: OperatorNeeds, deployments: Iterable[Manifest]) -> bool:
    """Whether an image of the operator is run, whatever its Deployment is labelled with."""
    images = (
        str(container.get("image"))
        for item in deployments
        for container in item["spec"]["template"]["spec"]["containers"]
    )
    return any(asked.operator.name in image.rpartition("/")[2] for image in images)


async def _seen(what: str, look: Any) -> Seen:
    """A part of a check; what this kubeconfig may not see of it is said."""
    try:
        found: Seen = await look
    except VrooliError as error:
        if is_forbidden(error):
            return Seen(unseen=(f"{what} (this kubeconfig may not look)",))
        raise
    return found


def _version(status: OperatorStatus) -> str:
    return f"{status.version} ({status.source}) in {status.namespace}"


def absent(asked: OperatorNeeds) -> Finding:
    """What is said of an operator that isn't there."""
    return Finding(
        asked.operator.name,
        asked.operator.title,
        "it isn't installed.",
        "Install it: `vrooli setup --target k8s-cluster` brings the operators.",
        asked.install,
    )


def not_ready(asked: OperatorNeeds, status: OperatorStatus) -> list[Finding]:
    """What is said of an operator whose pods aren't ready."""
    if status.state is State.READY:
        return []
    command = f"kubectl describe pods -n {status.namespace} -l {asked.operator.selector}"
    said = f"{status.detail}."
    remedy = f"See why its pods aren't: `{command}`."
    return [Finding(asked.operator.name, asked.operator.title, said, remedy, command)]


async def _rights(asked: OperatorNeeds, site: Site, status: OperatorStatus) -> Seen:
    """Whether its service account may do what its work takes."""
    deployments = await site.objects(*DEPLOYMENT, status.namespace, asked.operator.selector)
    spec = deployments[0]["spec"]["template"]["spec"]
    account = (status.namespace, str(spec.get("serviceAccountName", "default")))

    async def ask(verb: str, api_version: str, kind: str, part: str) -> str:
        try:
            may = await site.kube.may(
                verb, api_version, kind, site.namespace, subresource=part, account=account
            )
        except ApiError as error:
            if is_forbidden(error):
                raise
            return ""  # the kind isn't served: told by the kinds
        return "" if may else f"{verb} {kind}{f'/{part}' if part else ''}"

    answers = await asyncio.gather(
        *(ask(verb, *right) for verbs, *right in asked.rights for verb in verbs)
    )
    return judge_rights(asked, account, [answer for answer in answers if answer], len(answers))


def judge_rights(
    asked: OperatorNeeds, account: tuple[str, str], refused: list[str], count: int
) -> Seen:
    """What is said of an operator's rights."""
    if not refused:
        return Seen(f"has its {count} rights")
    who = f"ServiceAccount/{account[1]} in {account[0]}"
    said = f"it may not {', '.join(refused)}."
    command = f"kubectl auth can-i --list --as system:serviceaccount:{account[0]}:{account[1]}"
    remedy = "Install it again: its roles come with it."
    return Seen(findings=(Finding(asked.operator.name, who, said, remedy, command),))


async def _leader(asked: OperatorNeeds, site: Site, status: OperatorStatus) -> Seen:
    leases = await site.kube.list(*LEASE, status.namespace)
    return judge_leases(asked, status.namespace, leases, datetime.now(UTC))


def judge_leases(
    asked: OperatorNeeds, namespace: str, leases: Iterable[Manifest], now: datetime
) -> Seen:
    """Whether one of an operator's pods leads, where they choose a leader at all."""
    ages = {
        lease["metadata"]["name"]: _age_s(lease["spec"]["renewTime"], now)
        - float(lease["spec"].get("leaseDurationSeconds") or 0)
        for lease in leases
        if (lease.get("spec") or {}).get("renewTime")
    }
    if not ages:
        return Seen()
    name, late = min(ages.items(), key=lambda item: item[1])
    if late <= CLOCKS_S:
        return Seen("a leader at work")
    said = f"no pod leads: it was last renewed {late:.0f} s too long ago."
    command = f"kubectl logs -n {namespace} -l {asked.operator.selector} --tail 50"
    remedy = f"See what its pods say: `{command}`."
    return Seen(findings=(Finding(asked.operator.name, f"Lease/{name}", said, remedy, command),))


async def _takes(asked: OperatorNeeds, site: Site) -> Seen:
    """Whether the API server takes the least object of its kind; nothing is made."""
    body = dict(asked.sample)
    if not await site.kube.serves(str(body["apiVersion"]), str(body["kind"])):
        return Seen()  # told by the kinds
    place = await admission.somewhere(site.kube, site.namespace)
    try:
        await site.kube.applied(body, namespace=place)
    except ApiError as error:
        if is_forbidden(error):
            raise
        what = f"a least {body['kind']}"
        said = f"the API server refuses it: {error.message}"
        remedy = "Bring the operator and its definitions to one version."
        return Seen(findings=(Finding(asked.operator.name, what, said, remedy, asked.install),))
    return Seen(f"takes a {body['kind']}")


async def _observes(asked: OperatorNeeds, site: Site) -> Seen:
    found = []
    for kind in asked.kinds:
        if await site.kube.serves(*kind):
            found += await site.kube.list(*kind)
    return judge_observed(asked, found, datetime.now(UTC))


def judge_observed(asked: OperatorNeeds, found: list[Manifest], now: datetime) -> Seen:
    """Whether an operator has looked at its objects as they are."""
    late = [item for item in found if asked.unobserved(item) and _changed_s(item, now) > OBSERVED_S]
    findings = tuple(
        Finding(
            asked.operator.name,
            f"{item['kind']}/{item['metadata']['name']} in {item['metadata']['namespace']}",
            f"the operator has not looked at its last change for {OBSERVED_S:.0f} s or more.",
            "See what its pods say.",
            f"kubectl logs -n {asked.operator.namespace} -l {asked.operator.selector} --tail 50",
        )
        for item in late
    )
    return Seen(f"looks after {len(found)} objects" if found else "", findings)


def _changed_s(item: Manifest, now: datetime) -> float:
    """Seconds since a person or a program last changed an object, as far as it says."""
    times = [
        entry["time"]
        for entry in item["metadata"].get("managedFields") or []
        if entry.get("time") and not entry.get("subresource")
    ]
    return _age_s(max(times, default=item["metadata"]["creationTimestamp"]), now)


def _age_s(time: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(time)).total_seconds()


def _check(asked: OperatorNeeds) -> Check:
    groups = {version.partition("/")[0] for version, _ in asked.kinds}

    def needless(site: Site) -> str:
        used = {version.partition("/")[0] for version, _ in site.needs.kinds}
        return "" if groups & used else f"these values have no {asked.sample['kind']}"

    async def look(site: Site) -> Seen:
        return await _look(asked, site)

    kinds = ", ".join(kind for _, kind in asked.kinds)
    return Check(
        asked.operator.name,
        asked.operator.title,
        "its pods are ready and one of them is the leader, its service account has the required "
        f"permissions, the API server accepts a minimal {asked.sample['kind']} in a dry run, and "
        f"it has reconciled the current generation of each {kinds}; a deploy checks only that it "
        "is installed and ready",
        look,
        needless,
        stops_deploy=True,
        of_operators=True,
    )


CHECKS = tuple(_check(asked) for asked in requirements.ALL)
