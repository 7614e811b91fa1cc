"""The storage classes of the volumes exist."""

from __future__ import annotations

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.classes import is_default

API = ("storage.k8s.io/v1", "StorageClass")
COMMAND = "kubectl get storageclass"


async def run(site: Site) -> CheckResult:
    """Check that each named class exists, and a default class if none is named."""
    return judge(site.requirements.storage_classes, await site.objects(*API))


def judge(required: tuple[str, ...], classes: list[Manifest]) -> CheckResult:
    """The required classes that do not exist; "" is the default class."""
    names = {item["metadata"]["name"] for item in classes}
    default = default_class(classes)
    existing = f"Existing classes: {', '.join(sorted(names)) or 'none'}."
    findings = []
    for name in required:
        if name and name not in names:
            what, message = f"StorageClass/{name}", "it does not exist."
            findings.append(Finding("storage", what, message, existing, COMMAND))
        elif not name and not default:
            message = "volumes use the default class, but no class is the default."
            findings.append(Finding("storage", "StorageClass", message, existing, COMMAND))
    used = dict.fromkeys(name or default for name in required)
    return CheckResult(", ".join(name for name in used if name in names), tuple(findings))


def default_class(classes: list[Manifest]) -> str:
    """The name of the cluster's default class; empty if there is none."""
    for item in classes:
        if is_default(item):
            return str(item["metadata"]["name"])
    return ""


def skip_reason(site: Site) -> str:
    """Why no class is needed."""
    return "" if site.requirements.storage_classes else "these values use no volumes"


CHECK = Check(
    "storage",
    "Storage classes",
    "the storage classes of the volumes exist, and a default class if a volume names none",
    run,
    skip_reason,
    stops_deploy=True,
)
