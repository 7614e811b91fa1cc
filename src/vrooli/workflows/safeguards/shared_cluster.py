"""Faults that affect a whole cluster are not injected into one that others use."""

from __future__ import annotations

from collections.abc import Sequence

from vrooli.drills.sharing import find_others
from vrooli.errors import UsageError, VrooliError
from vrooli.kube import Kube
from vrooli.release.model import Release

SHARED, PRODUCTION = "--yes-to-shared-cluster", "--yes-in-production"


async def demand_own_cluster(
    kube: Kube, release: Release, faults: Sequence[str], *, shared: bool, production: bool
) -> None:
    """Refuse faults of a cluster that other releases use, unless the options allow it.

    Args:
        kube: The cluster.
        release: The release whose drill it is.
        faults: The names of the faults that affect the whole cluster.
        shared: Whether ``--yes-to-shared-cluster`` was given.
        production: Whether ``--yes-in-production`` was given.

    Raises:
        UsageError: Others use the cluster, or they cannot be listed, and an option is missing.
    """
    if not faults or (shared and production):
        return
    affected = f"These faults affect the whole cluster: {', '.join(faults)}."
    try:
        others = await find_others(kube, release)
    except VrooliError as error:
        raise UsageError(
            f"{affected} Whether other releases use it is not known: {error.message} "
            "Nothing was changed.",
            "Use a kubeconfig that may list the ConfigMaps and Namespaces of the cluster, name "
            f"other faults, or use {SHARED} and {PRODUCTION}.",
        ) from error
    missing = [SHARED] if others and not shared else []
    if any(other.is_production for other in others) and not production:
        missing.append(PRODUCTION)
    if missing:
        named = ", ".join(other.title for other in others)
        raise UsageError(
            f"{affected} Others use it, too: {named}. Nothing was changed.",
            f"Name other faults, or use {' and '.join(missing)}: requests and writes of the users "
            "of all of them will fail.",
        )
