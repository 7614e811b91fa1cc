"""Ask a cluster, all at once, for what a release needs; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any

import httpx

from vrooli.chart.manifest import Manifest
from vrooli.checks import needs, vault
from vrooli.checks.needs import Needs
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError, Kube

# How long all checks may take together, seconds.
LIMIT_S = 30.0
# What a deploy does with each kind of object.
VERBS = ("get", "list", "watch", "create", "patch", "delete")
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# Which operator serves a group, for the remedy.
OPERATORS = {
    "postgres-operator.crunchydata.com": "PGO",
    "databases.spotahome.com": "the Redis operator",
    "secrets.hashicorp.com": "the Vault Secrets Operator",
    "monitoring.coreos.com": "Prometheus' operator (or set monitoring.enabled: false)",
}
# Images of this registry are made on the machine: no registry has them.
LOCAL = "localhost/"
# Where objects of a namespace that isn't there yet are tried.
ANY_NAMESPACE = "default"

Check = Callable[[Kube, str, Sequence[Manifest], Needs], Coroutine[Any, Any, list[Finding]]]


async def look(
    kube: Kube, namespace: str, manifests: Iterable[Manifest], loaded: Collection[str] = ()
) -> list[Finding]:
    """Everything that stands in the way of these objects; nothing when they can be deployed.

    Args:
        kube: The cluster.
        namespace: Where they go; need not be there.
        manifests: The release's objects.
        loaded: Images that were just put on the nodes, which tell of them up to a minute later.
    """
    found = list(manifests)
    needed = needs.of(found)
    needed = replace(needed, images=tuple(name for name in needed.images if name not in loaded))
    for first in (_namespace, _kinds):
        causes = await _allowed(first(kube, namespace, found, needed))
        if causes:  # what else there is to say follows from them
            return causes
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_allowed(check(kube, namespace, found, needed))) for check in CHECKS
        ]
    return [finding for task in tasks for finding in task.result()]


async def _allowed(check: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    """What a check finds; nothing where this kubeconfig may not look.

    Classes and nodes belong to the cluster: a deploy needs no right to read them.
    """
    try:
        return await check
    except ApiError as error:
        if error.status == httpx.codes.FORBIDDEN:
            return []
        raise


async def _found(asked: Iterable[Coroutine[Any, Any, Finding | None]]) -> list[Finding]:
    """What many questions at once give, without those that found nothing."""
    answers = await asyncio.gather(*asked)
    return [finding for finding in answers if finding is not None]


async def _namespace(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether the namespace is none that is going away."""
    there = await kube.get("v1", "Namespace", namespace)
    if there is None or "deletionTimestamp" not in there["metadata"]:
        return []
    look = f"See what it waits for: `kubectl describe namespace {namespace}`."
    return [Finding("namespace", f"Namespace/{namespace}", "it is being deleted.", look)]


async def _kinds(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether the cluster serves every kind in its version."""
    served = await asyncio.gather(*(kube.serves(*kind) for kind in needed.kinds))
    missing = [kind for kind, there in zip(needed.kinds, served, strict=True) if not there]
    return [
        Finding("kinds", kind, f"the cluster doesn't serve it as {version}.", _of_operator(version))
        for version, kind in missing
    ]


def _of_operator(api_version: str) -> str:
    operator = OPERATORS.get(api_version.partition("/")[0])
    return f"Install {operator}: `vrooli setup` brings the operators." if operator else ""


async def _rights(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether this kubeconfig may do what a deploy does; Helm keeps its notes in Secrets."""
    kinds = dict.fromkeys([*needed.kinds, ("v1", "Secret"), ("coordination.k8s.io/v1", "Lease")])

    async def ask(api_version: str, kind: str) -> Finding | None:
        answers = [(verb, await kube.may(verb, api_version, kind, namespace)) for verb in VERBS]
        refused = [verb for verb, allowed in answers if not allowed]
        if not refused:
            return None
        said = f"this kubeconfig may not {', '.join(refused)} it in namespace {namespace}."
        return Finding("rights", kind, said, "Ask for the missing rights, or use another.")

    return await _found(ask(*kind) for kind in kinds)


async def _storage(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether the volumes' storage classes are there."""
    if not needed.storage_classes:
        return []
    classes = await kube.list("storage.k8s.io/v1", "StorageClass")
    names = {item["metadata"]["name"] for item in classes}
    default = any(
        (item["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for item in classes
    )
    there = f"There are: {', '.join(sorted(names)) or 'none'}."
    found = []
    for name in needed.storage_classes:
        if name and name not in names:
            found.append(Finding("storage", f"StorageClass/{name}", "it isn't there.", there))
        elif not name and not default:
            said = "volumes want the cluster's default, and no class is it."
            found.append(Finding("storage", "StorageClass", said, there))
    return found


async def _ingress(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether the Ingress' class is there."""
    if not needed.ingress_classes:
        return []
    classes = await kube.list("networking.k8s.io/v1", "IngressClass")
    names = {item["metadata"]["name"] for item in classes}
    there = f"There are: {', '.join(sorted(names)) or 'none'}. ingress.className chooses."
    return [
        Finding("ingress", f"IngressClass/{name}", "it isn't there.", there)
        for name in needed.ingress_classes
        if name not in names
    ]


async def _images(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether nodes have the images that no registry has; others are pulled, and followed."""
    local = [image for image in needed.images if image.startswith(LOCAL)]
    if not local:
        return []
    nodes = await kube.list("v1", "Node")
    images = [image for node in nodes for image in node.get("status", {}).get("images", [])]
    names = {name for image in images for name in image.get("names") or []}
    return [
        Finding("images", image, "no node has it, and no registry does.", _BUILD)
        for image in local
        if image not in names
    ]


_BUILD = "`vrooli build --images` puts it into the artifact."


async def _dry_run(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether the API server would take every object, its admission included."""
    place = namespace if await _is_there(kube, namespace) else ANY_NAMESPACE

    async def ask(manifest: Manifest) -> Finding | None:
        body: dict[str, Any] = {**manifest.body}
        body["metadata"] = {**body["metadata"], "namespace": place}
        try:
            await kube.apply(body, dry_run=True)
        except ApiError as error:
            if error.status == httpx.codes.FORBIDDEN and "forbidden: User" in error.message:
                return None  # said by the rights, in better words
            return Finding("dry-run", manifest.key, error.message)
        return None

    # Helm makes hooks anew, so what is there of them says nothing.
    return await _found(ask(item) for item in manifests if not item.is_hook)


async def _vault(
    kube: Kube, namespace: str, manifests: Sequence[Manifest], needed: Needs
) -> list[Finding]:
    """Whether Vault has role, policies and paths."""
    return await vault.look(kube, namespace, manifests)


async def _is_there(kube: Kube, namespace: str) -> bool:
    """Whether a namespace is there; who may not look has been given one."""
    try:
        return await kube.get("v1", "Namespace", namespace) is not None
    except ApiError as error:
        if error.status == httpx.codes.FORBIDDEN:
            return True
        raise


CHECKS: tuple[Check, ...] = (_rights, _storage, _ingress, _images, _vault, _dry_run)


class NotDeployableError(VrooliError):
    """The cluster lacks what the release needs; nothing was changed."""

    exit_code = 3


def demand(findings: Sequence[Finding]) -> None:
    """Raise what was found, all of it at once.

    Raises:
        NotDeployableError: Something was found.
    """
    if findings:
        lines = [f"  {finding}" for finding in findings]
        raise NotDeployableError(
            "\n".join(["The cluster can't take this release; nothing was changed:", *lines])
        )
