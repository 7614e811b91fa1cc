"""Take a release away, with its data or without."""

from __future__ import annotations

import helm_python

from vrooli.chart.manifest import KEEP
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.release import history
from vrooli.release.history import Release
from vrooli.steps import Done

# How long Helm's deletions may take, seconds.
HELM_S = 120
# How long pods may take to end and volumes to go, seconds.
GONE_S = 180.0


async def remove(kube: Kube, release: Release, progress: Progress, *, data: bool = False) -> Done:
    """Uninstall the release; without ``data``, what keeps its data stays.

    Raises:
        VrooliError: Helm could not.
        WaitTimeoutError: With ``data``, the namespace didn't go within the limit.
    """
    found = await history.last(release)
    said = "there is no such release"
    if found is not None:
        progress.say(f"uninstalls revision {found.number}")
        kept = await _uninstall(kube, release)
        said = f"kept {', '.join(kept)}" if kept else "nothing kept"
    if data and await _remove_namespace(kube, release.namespace, progress):
        return Done(True, f"namespace {release.namespace} is gone with its data")
    return Done(found is not None, said)


async def _uninstall(kube: Kube, release: Release) -> list[str]:
    """Uninstall; returns what stays because its resource policy says so."""
    noted = await history.manifests(release)
    try:
        await history.call(
            release,
            lambda helm: helm.uninstall(release.name, timeout=HELM_S, ignore_not_found=True),
        )
    except helm_python.HelmError as error:
        raise history.failure(release, "uninstall", error) from error
    # Helm forgets the pods of its tests.
    for hook in (item for item in noted if item.is_hook):
        await kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)
    return [item.key for item in noted if item.annotations.get(KEEP) == "keep"]


async def _remove_namespace(kube: Kube, namespace: str, progress: Progress) -> bool:
    """Delete the namespace; the operators still run, so that they end what they own in order."""
    if not await kube.delete("v1", "Namespace", namespace):
        return False
    await kube.wait_for("v1", "Namespace", namespace, None, _still_there, GONE_S, progress)
    return True


def _still_there(body: Manifest | None) -> str | None:
    if body is None:
        return None
    conditions = body.get("status", {}).get("conditions", [])
    said = [item["message"] for item in conditions if item["status"] == "True"]
    return "; ".join(said) or "its objects are being deleted"
