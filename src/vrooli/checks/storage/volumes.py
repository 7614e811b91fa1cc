"""A volume of each class binds and is writable."""

from __future__ import annotations

import asyncio

from vrooli import shell
from vrooli.checks import probe_pods
from vrooli.checks.interface import Check, CheckResult, Site, UnavailableError
from vrooli.checks.storage import classes as storage_classes
from vrooli.errors import WaitTimeoutError
from vrooli.findings import Finding
from vrooli.kube import Manifest

NAME = "volumes"


async def run(site: Site) -> CheckResult:
    """Bind a volume of each class; with --check-only, look for bound volumes."""
    required = tuple(dict.fromkeys(site.requirements.storage_classes))
    if not site.creates:
        return judge_bound(await _names(site, required), await _bound(site))
    results = await asyncio.gather(*(_try(site, name) for name in required))
    return CheckResult(
        ", ".join(one.summary for one in results if one.summary),
        tuple(finding for one in results for finding in one.findings),
    )


async def _names(site: Site, required: tuple[str, ...]) -> list[str]:
    default = storage_classes.default_class(await site.objects(*storage_classes.API))
    return list(dict.fromkeys(name or default for name in required))


async def _bound(site: Site) -> list[Manifest]:
    return await site.objects("v1", "PersistentVolumeClaim")


def judge_bound(classes: list[str], claims: list[Manifest]) -> CheckResult:
    """The result from the existing claims of the classes; nothing is created."""
    bound = [
        item["spec"].get("storageClassName")
        for item in claims
        if (item.get("status") or {}).get("phase") == "Bound"
    ]
    counts = {name: bound.count(name) for name in classes}
    unbound = [name for name, count in counts.items() if not count]
    if unbound:
        raise UnavailableError(
            f"no volume of class {', '.join(unbound)} is bound; without --check-only the check "
            "creates one and writes to it"
        )
    return CheckResult(
        ", ".join(f"{count} volumes of {name} are bound" for name, count in counts.items())
    )


async def _try(site: Site, name: str) -> CheckResult:
    label = name or "the default class"
    try:
        volume = await probe_pods.writes(site, name)
    except WaitTimeoutError as error:
        command = " ".join(["kubectl describe storageclass", *([shell.name(name)] if name else [])])
        remedy = "Check the log of its provisioner."
        return CheckResult(
            findings=(Finding(NAME, f"StorageClass {label}", error.message, remedy, command),)
        )
    return CheckResult(f"{label}: bound and writable ({volume})")


def skip_reason(site: Site) -> str:
    """Why no volume is needed."""
    return storage_classes.skip_reason(site) or (
        probe_pods.skip_reason(site) if site.creates else ""
    )


CHECK = Check(
    NAME,
    "Volumes",
    "a volume of each storage class binds and is writable",
    run,
    skip_reason,
    limit_s=18.0,
    after=("storage",),
    creates="a claim of 16Mi and a pod that writes to it",
)
