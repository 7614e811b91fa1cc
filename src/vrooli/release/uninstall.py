"""Uninstall a release; its data stay unless their deletion is requested."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import helm_python

from vrooli.chart.manifest import RESOURCE_POLICY
from vrooli.chart.manifest import Manifest as Object
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest, objects
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.release import finalizers, helm
from vrooli.release.drift import live_objects
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.steps import Done

CLAIM = volumes.KIND
# The timeout of Helm's requests, seconds.
HELM_S = 120
# The timeout of the operators to stop databases and release their volumes, seconds.
DATA_S = 300.0
# How long finalizers may remain before the operators that must remove them are queried, seconds.
BLOCKED_S = 20.0
# The interval at which the namespace's deletion is checked, seconds.
POLL_S = 10.0


@dataclass(frozen=True)
class Removed(Done):
    """The result of an uninstallation.

    Attributes:
        retained: The objects that remain, by kind and name: those with a keep policy, and volumes.
    """

    retained: tuple[str, ...] = ()


async def find_leftovers(kube: Kube, release: Release, objects: Iterable[Object]) -> list[str]:
    """Find objects of an earlier release that a new one takes over, by kind and name.

    Args:
        kube: The cluster.
        release: The release, which does not exist yet.
        objects: The objects that it will have.
    """
    named = list(objects)
    retained = [item for item in named if item.annotations.get(RESOURCE_POLICY) == "keep"]
    bodies = await live_objects.bodies(kube, retained)
    there = [key for key, body in bodies.items() if body is not None]
    try:
        claims = await kube.list("v1", CLAIM, release.namespace)
    except ApiError:  # without the permission, they are not reported
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
    """Describe objects of an earlier release; empty if there are none."""
    return f", with objects of an earlier release: {', '.join(leftovers)}" if leftovers else ""


async def remove(kube: Kube, release: Release, progress: Progress) -> Removed:
    """Uninstall a release; changes nothing if it does not exist.

    Raises:
        VrooliError: Helm failed.
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
            return Removed(False, f"another process uninstalled {release.name}")
        raise helm.failure(release, "uninstall", error) from error
    # Helm does not delete test pods.
    for hook in (item for item in record.manifests if item.is_hook):
        await kube.delete(hook.api_version, hook.kind, hook.name, hook.namespace)
    retained = [
        item.key for item in record.manifests if item.annotations.get(RESOURCE_POLICY) == "keep"
    ]
    removed_keys = frozenset(item.key for item in record.manifests) - frozenset(retained)
    retained += [key for key in await _claims(kube, release, removed_keys) if key not in retained]
    detail = f"{release.name} was uninstalled{_format_retained(retained)}"
    return Removed(True, detail, tuple(retained))


async def _claims(kube: Kube, release: Release, removed_keys: frozenset[str]) -> list[str]:
    """The volume claims that remain: neither they nor their owners are being deleted.

    The operators make those of Redis and PostgreSQL, so the release does not list them.
    """
    try:
        claims = await kube.list("v1", CLAIM, release.namespace)
    except ApiError:  # without the permission, they are not reported
        return []
    return sorted(
        f"{CLAIM}/{body['metadata']['name']}" for body in claims if _stays(body, removed_keys)
    )


def _stays(claim: Manifest, removed_keys: frozenset[str]) -> bool:
    metadata = claim["metadata"]
    owners = {f"{one['kind']}/{one['name']}" for one in metadata.get("ownerReferences") or ()}
    return not metadata.get("deletionTimestamp") and not owners & removed_keys


def _format_retained(retained: Sequence[str]) -> str:
    return f"; its data remain in {', '.join(retained)}" if retained else ""


async def start_namespace_deletion(kube: Kube, release: Release) -> bool:
    """Start to delete the release's namespace with its databases and volumes.

    Returns:
        Whether the namespace exists; its deletion may have started before.
    """
    there = await kube.get("v1", "Namespace", release.namespace)
    if there is None:
        return False
    if not objects.is_deleted(there):
        await kube.delete("v1", "Namespace", release.namespace, uid=objects.uid_of(there))
    return True


async def remove_data(
    kube: Kube, release: Release, progress: Progress, *, started: bool | None = None
) -> Done:
    """Delete the release's namespace with its databases and volumes, and wait for it.

    Args:
        kube: The cluster.
        release: The release.
        progress: Receives what still exists.
        started: The result of :func:`start_namespace_deletion`; None calls it.

    Raises:
        WaitTimeoutError: Something in it was not deleted in time.
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
            await _demand_progress(kube, namespace, error, time.monotonic() - began)
    return Done(changed=True, detail=f"namespace {namespace} and all data in it were deleted")


async def _demand_progress(
    kube: Kube, namespace: str, error: WaitTimeoutError, waited_s: float
) -> None:
    """End the wait if it takes too long, or if an operator that must remove finalizers is gone.

    Raises:
        WaitTimeoutError: The wait ends; the message names what remains.
    """
    blocked = await finalizers.fetch_blocked(kube, namespace) if waited_s > BLOCKED_S else []
    if blocked:
        raise WaitTimeoutError(
            f"Namespace {namespace} still exists after {waited_s:.0f} s. "
            f"{'; '.join(item.reason for item in blocked)}.",
            f"{' '.join(item.advice for item in blocked)} The deletion then ends by itself.",
        ) from error
    if waited_s > DATA_S:
        raise WaitTimeoutError(error.message, f"List what remains: `{_listing(namespace)}`.")


def _listing(namespace: str) -> str:
    """The command that lists all objects of a namespace; `kubectl get all` omits most kinds."""
    return (
        "kubectl api-resources --verbs=list --namespaced -o name | xargs -n 1 kubectl get "
        f"--show-kind --ignore-not-found -n {namespace}"
    )


def _remains(namespace: Manifest | None) -> str | None:
    """What the deletion of a namespace still waits for, by its conditions."""
    if namespace is None:
        return None
    messages = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions", [])
        if condition["status"] == "True"
    ]
    return "; ".join(messages) or "its objects are being deleted"
