"""Faults of pods: one or several are deleted, and others take their place."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from vrooli.drills.model import Injection, NotApplicableError
from vrooli.drills.site import Site
from vrooli.kube import Kube, Manifest
from vrooli.kube.common_labels import COMPONENT, INSTANCE, NAME
from vrooli.kube.concurrency import gather_limited
from vrooli.kube.objects import items, label_selector, labels, name, text, uid_of
from vrooli.kube.status import is_pod_ready
from vrooli.operators.model import Operator
from vrooli.vault import manifests as vault_manifests

TRAEFIK, TRAEFIK_NAMESPACE = f"{NAME}=traefik", "kube-system"
# A controller makes a pod's successor within a second; where there is none after this time, an
# autoscaler wants fewer, seconds.
SCALED_S = 20.0
# What a pod gets that is deleted at once, seconds. With 0, the API server forgets it before its
# processes have ended, and a successor may start on the volume while the old server still writes.
# With 1, they are killed after a second, and then the pod is removed.
AT_ONCE_S = 1


@dataclass(frozen=True)
class Group:
    """Pods that do the same work, at one moment.

    Attributes:
        kube: The cluster.
        namespace: Their namespace, or None for all.
        selector: Their label selector.
        pods: The pods that are not being deleted, by name.
    """

    kube: Kube
    namespace: str | None
    selector: str
    pods: tuple[Manifest, ...]

    @classmethod
    async def fetch(cls, kube: Kube, namespace: str | None, selector: str) -> Group:
        """The pods as they are now."""
        bodies = await kube.list("v1", "Pod", namespace, selector)
        present = [body for body in bodies if not text(body, "metadata", "deletionTimestamp")]
        return cls(kube, namespace, selector, tuple(sorted(present, key=name)))

    async def is_replaced(self, deleted: Sequence[Manifest], since: float) -> bool:
        """Whether all pods are ready without these, and as many as before.

        ``since`` is when they were deleted, by the monotonic clock.
        """
        current = await Group.fetch(self.kube, self.namespace, self.selector)
        uids = {text(pod, "metadata", "uid") for pod in deleted}
        others = [pod for pod in current.pods if text(pod, "metadata", "uid") not in uids]
        is_complete = len(others) >= len(self.pods) or time.monotonic() - since > SCALED_S
        return (
            bool(others)
            and is_complete
            and len(others) == len(current.pods)
            and all(map(is_pod_ready, others))
        )


def deletion(
    group: Group,
    deleted: Sequence[Manifest],
    *,
    at_once: bool = False,
    subjects: tuple[str, ...] = (),
) -> Injection:
    """Delete some pods of a group.

    Args:
        group: The pods that do their work.
        deleted: Those that are deleted.
        at_once: Whether they get a second to end, and not their own time as by ``kubectl delete``.
        subjects: Further names by which a diagnosis names the fault.
    """
    grace, began = AT_ONCE_S if at_once else None, time.monotonic()

    async def delete(pod: Manifest) -> None:
        namespace = text(pod, "metadata", "namespace")
        await group.kube.delete("v1", "Pod", name(pod), namespace, uid=uid_of(pod), grace_s=grace)

    async def inject() -> None:
        nonlocal began
        began = time.monotonic()
        await gather_limited(delete, deleted)

    return Injection(
        targets=tuple(_title(pod) for pod in deleted),
        subjects=(*_subjects(deleted), *subjects),
        inject=inject,
        is_healed=lambda: group.is_replaced(deleted, began),
        is_alone=len(group.pods) == len(deleted),
    )


def _title(pod: Manifest) -> str:
    return f"Pod/{name(pod)} in namespace {text(pod, 'metadata', 'namespace')}"


def _subjects(pods: Sequence[Manifest]) -> tuple[str, ...]:
    """The names of pods and of what owns them: a diagnosis names the workload."""
    owners = [
        text(owner, "name") for pod in pods for owner in items(pod, "metadata", "ownerReferences")
    ]
    hashes = [text(labels(pod), "pod-template-hash") for pod in pods]
    deployments = [
        owner.removesuffix(f"-{digest}") for owner in owners for digest in hashes if digest
    ]
    return tuple(dict.fromkeys([*map(name, pods), *owners, *deployments]))


async def one_of(site: Site, title: str, selector: str, namespace: str | None) -> Injection:
    """Delete one pod of a selector.

    Raises:
        NotApplicableError: There is none.
    """
    group = await Group.fetch(site.kube, namespace, selector)
    if not group.pods:
        raise NotApplicableError(f"{title} has no pods in this cluster")
    return deletion(group, group.pods[:1])


async def ingress(site: Site) -> Injection:
    """Delete a pod of the Ingress controller of a cluster of this product."""
    return await one_of(site, "The Ingress controller Traefik", TRAEFIK, TRAEFIK_NAMESPACE)


async def vault(site: Site) -> Injection:
    """Delete the pod of the Vault that `setup` has installed."""
    selector = label_selector(vault_manifests.SELECTOR)
    title = "The Vault of `vrooli setup`"
    return await one_of(site, title, selector, vault_manifests.NAMESPACE)


async def operator_during(
    site: Site, operator: Operator, plan: Callable[[Site], Awaitable[Injection]]
) -> Injection:
    """Delete the pods of an operator, and inject a fault that it has to heal."""
    group = await Group.fetch(site.kube, None, operator.selector)
    if not group.pods:
        raise NotApplicableError(f"{operator.title} has no pods in this cluster")
    first, second = deletion(group, group.pods), await plan(site)

    async def inject() -> None:
        await first.inject()
        await second.inject()

    async def is_healed() -> bool:
        return await first.is_healed() and await second.is_healed()

    return replace(
        second,
        targets=(*first.targets, *second.targets),
        subjects=(*first.subjects, *second.subjects),
        inject=inject,
        is_healed=is_healed,
    )


async def component(site: Site, name_: str) -> Injection:
    """Delete a pod of a component of the release."""
    selector = f"{INSTANCE}={site.release.name},{COMPONENT}={name_}"
    return await one_of(site, f"The component {name_}", selector, site.release.namespace)
