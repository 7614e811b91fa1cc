"""The release's namespace isn't one that is going away."""

from __future__ import annotations

from vrooli.checks.interface import Check, Seen, Site
from vrooli.findings import Finding


async def look(site: Site) -> Seen:
    """Whether the namespace is being deleted."""
    name = site.namespace
    there = await site.kube.get("v1", "Namespace", name)
    if there is None:
        return Seen(f"{name} isn't there yet; a deploy makes it")
    if "deletionTimestamp" not in there["metadata"]:
        return Seen(f"{name} is there")
    command = f"kubectl describe namespace {name}"
    return Seen(
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
    look,
    stops_deploy=True,
)
