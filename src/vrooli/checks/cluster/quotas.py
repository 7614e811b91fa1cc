"""The room that the quotas of a namespace leave for a release."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli import shell
from vrooli.checks.interface import Site
from vrooli.checks.nodes import planned_pods
from vrooli.checks.nodes.planned_pods import PodGroup
from vrooli.findings import Finding
from vrooli.kube import Manifest, quantities
from vrooli.kube.objects import mapping
from vrooli.kube.quantities import Amounts
from vrooli.kube.status import has_ended

# What is counted, by the names that quotas have for it
# (https://kubernetes.io/docs/concepts/policy/resource-quotas/).
COUNTED = {
    "pods": "pods",
    "count/pods": "pods",
    "cpu": "cpu",
    "requests.cpu": "cpu",
    "memory": "memory",
    "requests.memory": "memory",
}
# The scopes of quotas that count the pods of a release: they have requests and no deadline.
SCOPES = frozenset({"NotTerminating", "NotBestEffort"})


async def exceeded(site: Site) -> tuple[Finding, ...]:
    """The quotas of the release's namespace that have no room for all of its pods.

    Raises:
        ApiError: This kubeconfig may not read quotas or pods.
    """
    found = await site.kube.list("v1", "ResourceQuota", site.namespace)
    if not found:
        return ()
    running = await site.kube.list("v1", "Pod", site.namespace)
    own = [
        pod
        for pod in running
        if not has_ended(pod) and planned_pods.is_ours(pod, site.namespace, site.manifests)
    ]
    return judge(planned_pods.planned_pods(site.manifests), own, found)


def judge(
    planned: Iterable[PodGroup], own: Iterable[Manifest], found: Iterable[Manifest]
) -> tuple[Finding, ...]:
    """Compare what the planned pods request with what is left without the release's own pods."""
    requested = quantities.total(
        *({**group.requests, "pods": 1.0} for group in planned for _ in range(group.count))
    )
    freed = quantities.total(*({**quantities.of_pod(pod["spec"]), "pods": 1.0} for pod in own))
    return tuple(
        finding
        for quota in found
        if _counts(quota)
        for finding in _findings(quota, requested, freed)
    )


def _counts(quota: Manifest) -> bool:
    spec = mapping(quota, "spec")
    return not spec.get("scopeSelector") and set(spec.get("scopes") or ()) <= SCOPES


def _findings(quota: Manifest, requested: Amounts, freed: Amounts) -> Iterable[Finding]:
    used = quantities.amounts(mapping(quota, "status", "used"))
    for key, text in mapping(quota, "spec", "hard").items():
        resource = COUNTED.get(key)
        if resource is None:
            continue
        others = max(used.get(key, 0.0) - freed.get(resource, 0.0), 0.0)
        left = max(quantities.number(text) - others, 0.0)
        amount = requested.get(resource, 0.0)
        # Sums of binary fractions differ in their last digits.
        if amount > left * (1 + 1e-9):
            yield _finding(quota, key, _text(resource, amount), _text(resource, left))


def _text(resource: str, amount: float) -> str:
    texts = {"cpu": f"{amount * 1000:.0f}m", "memory": f"{amount / 1024**2:.0f}Mi"}
    return texts.get(resource, f"{amount:.0f}")


def _finding(quota: Manifest, key: str, requested: str, left: str) -> Finding:
    name, namespace = quota["metadata"]["name"], quota["metadata"].get("namespace", "")
    return Finding(
        "pod-admission",
        f"ResourceQuota/{name}",
        f"the pods of the release request {requested} of {key}, and it leaves {left}.",
        "Lower requests and replicas in the values, or ask the owner of the quota for more.",
        f"kubectl describe resourcequota {shell.name(name)} -n {shell.label(namespace)}",
    )
