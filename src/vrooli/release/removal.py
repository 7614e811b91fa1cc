"""Take a release away; what its chart keeps (the data) stays until it is asked for."""

from __future__ import annotations

import time

import helm_python

from vrooli.chart.manifest import KEEP
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.release import history
from vrooli.release.history import Release
from vrooli.steps import Done

# Helm waits for nothing here but its requests, seconds.
HELM_S = 120
# How long the operators may take to end databases and let their volumes go, seconds.
DATA_S = 300.0
# A namespace that ended between two looks is seen at the next one, seconds.
LOOK_S = 10.0


async def remove(kube: Kube, release: Release, progress: Progress) -> Done:
    """Uninstall a release; changes nothing when there is none.

    Raises:
        VrooliError: Helm could not.
    """
    note = await history.newest(release)
    if note is None:
        return Done(changed=False, detail=f"there is no release {release.name}")
    progress.say(f"uninstalls {release.name}")
    try:
        await history.call(release, lambda helm: helm.uninstall(release.name, timeout=HELM_S))
    except helm_python.HelmError as error:
        if await history.last(release) is None:
            return Done(changed=False, detail=f"another run has taken {release.name} away")
        raise history.failure(release, "uninstall", error) from error
    # Helm leaves the pods of its tests behind.
    for hook in (item for item in note.manifests if item.is_hook):
        await kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)
    kept = [item.key for item in note.manifests if item.annotations.get(KEEP) == "keep"]
    said = f", {', '.join(kept)} stay with the data" if kept else ""
    return Done(changed=True, detail=f"{release.name} is gone{said}")


async def remove_data(kube: Kube, release: Release, progress: Progress) -> Done:
    """Delete the release's namespace, and with it the databases and their volumes.

    Raises:
        WaitTimeoutError: Something in it did not end in time.
    """
    namespace = release.namespace
    if not await kube.delete("v1", "Namespace", namespace):
        return Done(changed=False, detail=f"there is no namespace {namespace}")
    began = time.monotonic()
    while await kube.get("v1", "Namespace", namespace) is not None:
        try:
            await kube.wait_for("v1", "Namespace", namespace, None, _remains, LOOK_S, progress)
        except WaitTimeoutError as error:
            if time.monotonic() - began > DATA_S:
                raise WaitTimeoutError(
                    error.message, f"Look what is left: `kubectl get all -n {namespace}`."
                ) from error
    return Done(changed=True, detail=f"namespace {namespace} is gone, and all data in it")


def _remains(namespace: Manifest | None) -> str | None:
    """What a namespace that is being deleted still waits for, as its conditions say."""
    if namespace is None:
        return None
    said = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions", [])
        if condition["status"] == "True"
    ]
    return "; ".join(said) or "its objects are ending"
