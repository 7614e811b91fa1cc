"""Whether a cluster can take a release's objects: asked before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vrooli.chart.manifest import Manifest
from vrooli.checks import interface as checks
from vrooli.checks import preflight
from vrooli.kube import Kube
from vrooli.release import Release, lease


async def demand(
    kube: Kube,
    release: Release,
    wanted: Sequence[Manifest],
    images: Collection[str],
    kind: str = "",
) -> str:
    """Find everything that would stand in the way; gives what was seen, in words.

    Args:
        kube: The cluster.
        release: Which release.
        wanted: Its objects, as they are to be.
        images: Images that are on the nodes, or will be.
        kind: The kind of cluster (embedded, minikube, kind, context).

    Raises:
        EnvironmentLackError: Somebody else is at work on the release.
        NotDeployableError: Something stands in the way.
    """
    await lease.refuse_if_held(kube, release)
    outcomes: list[checks.Outcome] = []
    found = await preflight.look(
        kube, release.namespace, wanted, images, outcomes.append, kind=kind
    )
    preflight.demand(found)
    said = (
        f"can take {len(wanted)} objects",
        preflight.unseen(outcomes),
        preflight.warnings(outcomes),
    )
    return "; ".join(filter(None, said))
