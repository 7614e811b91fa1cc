"""The namespace of the release is not being deleted."""

from __future__ import annotations

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import objects


async def run(site: Site) -> CheckResult:
    """Check whether the namespace is being deleted."""
    name = site.namespace
    body = await site.kube.get("v1", "Namespace", name)
    if body is None:
        return CheckResult(f"{name} does not exist yet; a deploy creates it")
    if not objects.is_deleted(body):
        return CheckResult(f"{name} exists")
    command = f"kubectl describe namespace {shell.name(name)}"
    return CheckResult(
        findings=(
            Finding(
                "namespace",
                f"Namespace/{name}",
                "it is being deleted.",
                f"Check what blocks the deletion: `{command}`.",
                command,
            ),
        )
    )


CHECK = Check(
    "namespace",
    "Namespace",
    "the namespace of the release is not being deleted",
    run,
    stops_deploy=True,
)
