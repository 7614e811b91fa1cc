"""The release's namespace isn't one that is going away."""

from __future__ import annotations

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import objects


async def run(site: Site) -> CheckResult:
    """Whether the namespace is being deleted."""
    name = site.namespace
    body = await site.kube.get("v1", "Namespace", name)
    if body is None:
        return CheckResult(f"{name} isn't there yet; a deploy makes it")
    if not objects.is_deleted(body):
        return CheckResult(f"{name} is there")
    command = f"kubectl describe namespace {name}"
    return CheckResult(
        findings=(
            Finding(
                "namespace",
                f"Namespace/{name}",
                "it is being deleted.",
                f"See what it waits for: `{command}`.",
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
