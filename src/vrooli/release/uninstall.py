"""Take a release away; what its chart keeps (the data) stays until it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import helm_python

from vrooli.chart.manifest import RESOURCE_POLICY
from vrooli.chart.manifest import Manifest as Object
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.release import helm
from vrooli.release.drift import live_objects
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.steps import Done

CLAIM = volumes.KIND
# Helm waits for nothing here but its requests, seconds.
HELM_S = 120
# How long the operators may take to end databases and let their volumes go, seconds.
DATA_S = 300.0
# A namespace that ended between two looks is seen at the next one, seconds.
POLL_S = 10.0


@dataclass(frozen=True)
class Removed(Done):
    """What was taken away, and what stays.

    Attributes:
        kept: The objects that stay, by kind and name: what the chart keeps, and volumes.
    """

    retained: tuple[str, ...] = ()


async def find_leftovers(kube: Kube, release: Release, objects: Iterable[Object]) -> list[str]:
    """What a release that is to be installed finds of an earlier one, by kind and name.

    Args:
        kube: The cluster.
        release: Which release; there is none of this name yet.
        objects: What it will consist of.
    """
    named = list(objects)
    retained = [item for item in named if item.annotations.get(RESOURCE_POLICY) == "keep"]
    bodies = await live_objects.bodies(kube, retained)
    there = [key for key, body in bodies.items() if body is not None]
    try:
        claims = await kube.list("v1", CLAIM, release.namespace)
    except ApiError:  # who may not look isn't told
        claims = []
    resources = databases()
    specs = [
        spec
        for item in named
        if item.kind in resources
        for spec in resources[item.kind].volume_specs(item.body)
    ]
    names = {claim["metadata"]["name"] for spec in specs for claim in spec.claims(claims)}
    return [*there, *sorted(f"{CLAIM}/{name}" for name in names)]


def format_leftovers(leftovers: Sequence[str]) -> str:
    """What is said of a new release that finds something; empty when it finds nothing."""
    return f", on what an earlier one left: {', '.join(leftovers)}" if leftovers else ""


async def remove(kube: Kube, release: Release, progress: Progress) -> Removed:
    """Uninstall a release; changes nothing when there is none.

    Raises:
        VrooliError: Helm could not.
    """
    record = await storage.fetch_record(kube, release)
    if record is None:
        claims = tuple(await _claims(kube, release, frozenset()))
        return Removed(
            False, f"there is no release {release.name}{_format_retained(claims)}", claims
        )
    progress.report(f"uninstalls {release.name}")
    try:
        await helm.call(release, lambda helm: helm.uninstall(release.name, timeout=HELM_S))
    except helm_python.HelmError as error:
        if await storage.fetch_revision(kube, release) is None:
            return Removed(False, f"another run has taken {release.name} away")
        raise helm.failure(release, "uninstall", error) from error
    # Helm leaves the pods of its tests behind.
    for hook in (item for item in record.manifests if item.is_hook):
        await kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)
    retained = [
        item.key for item in record.manifests if item.annotations.get(RESOURCE_POLICY) == "keep"
    ]
    removed_keys = frozenset(item.key for item in record.manifests) - frozenset(retained)
    retained += [key for key in await _claims(kube, release, removed_keys) if key not in retained]
    return Removed(True, f"{release.name} is gone{_format_retained(retained)}", tuple(retained))


async def _claims(kube: Kube, release: Release, removed_keys: frozenset[str]) -> list[str]:
    """The volumes in the namespace that stay: neither they nor their owners are on their way out.

    Redis' and PostgreSQL's are made by the operators: the release doesn't list them.
    """
    try:
        claims = await kube.list("v1", CLAIM, release.namespace)
    except ApiError:  # who may not look isn't told
        return []
    return sorted(
        f"{CLAIM}/{body['metadata']['name']}" for body in claims if _stays(body, removed_keys)
    )


def _stays(claim: Manifest, removed_keys: frozenset[str]) -> bool:
    metadata = claim["metadata"]
    owners = {f"{one['kind']}/{one['name']}" for one in metadata.get("ownerReferences") or ()}
    return not metadata.get("deletionTimestamp") and not owners & removed_keys


def _format_retained(retained: Sequence[str]) -> str:
    return f"; its data stay in {', '.join(retained)}" if retained else ""


async def start_namespace_deletion(kube: Kube, release: Release) -> bool:
    """Let the release's namespace end, and with it the databases and their volumes.

    Returns:
        Whether there is such a namespace; it may have been ending before.
    """
    there = await kube.get("v1", "Namespace", release.namespace)
    if there is None:
        return False
    if not there["metadata"].get("deletionTimestamp"):
        await kube.delete("v1", "Namespace", release.namespace)
    return True


async def remove_data(
    kube: Kube, release: Release, progress: Progress, *, started: bool | None = None
) -> Done:
    """Delete the release's namespace, and with it the databases and their volumes.

    Args:
        kube: The cluster.
        release: Whose.
        progress: Hears what is still there.
        started: The result of :func:`start_namespace_deletion`; None calls it.

    Raises:
        WaitTimeoutError: Something in it did not end in time.
    """
    namespace = release.namespace
    if started is None:
        started = await start_namespace_deletion(kube, release)
    if not started:
        return Done(changed=False, detail=f"there is no namespace {namespace}")
    began = time.monotonic()
    while await kube.get("v1", "Namespace", namespace) is not None:
        try:
            await kube.wait_for("v1", "Namespace", namespace, None, _remains, POLL_S, progress)
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
    messages = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions", [])
        if condition["status"] == "True"
    ]
    return "; ".join(messages) or "its objects are ending"
