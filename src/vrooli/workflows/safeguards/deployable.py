"""Preflight checks of a deploy or rollback, before anything changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from vrooli.chart.manifest import Manifest
from vrooli.checks import catalog, preflight
from vrooli.checks import interface as checks
from vrooli.checks.images import local as local_images
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release import Release, lease
from vrooli.release.model import Revision


async def demand(
    kube: Kube,
    release: Release,
    manifests: Sequence[Manifest],
    images: Collection[str],
    kind: str = "",
    *,
    back_to: Revision | None = None,
    skipped: Collection[str] = (),
) -> str:
    """Run the preflight checks; returns a summary.

    Args:
        kube: The cluster.
        release: The release.
        manifests: Its objects, as they are to be.
        images: Images that are, or will be, on the nodes.
        kind: The kind of cluster (embedded, minikube, kind, context).
        back_to: The target revision of a rollback; None for a deploy.
        skipped: The names of checks that do not apply.

    Raises:
        PrerequisiteError: Another deploy holds the lock.
        NotDeployableError: A check failed.
    """
    await lease.demand_free(kube, release)
    outcomes: list[checks.Outcome] = []
    chosen = [item for item in catalog.STOP_DEPLOYS if item.name not in skipped]
    findings = await preflight.run(
        kube, release.namespace, manifests, images, outcomes.append, checks=chosen, kind=kind
    )
    if back_to is not None:
        findings = [_of_rollback(finding, back_to) for finding in findings]
    preflight.demand(findings)
    parts = (
        f"the cluster accepts {counted(len(manifests), 'object')}",
        preflight.unavailable(outcomes),
        preflight.warnings(outcomes),
    )
    return "; ".join(filter(None, parts))


def _of_rollback(finding: Finding, to: Revision) -> Finding:
    """Adapt a finding to a rollback: images built now differ from those of a revision."""
    if finding.command != local_images.BUILD:
        return finding
    remedy = f"Deploy the artifact of revision {to.number} ({to.chart}), which contains the image."
    return replace(finding, remediation=remedy, command="")
