"""The nodes have capacity for the requests of the values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.nodes import planned_pods
from vrooli.checks.nodes.planned_pods import PodGroup
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube import Manifest, objects, quantities
from vrooli.kube.quantities import Amounts
from vrooli.kube.status import has_condition, has_ended

# The counted resources; the check of GPUs covers extended resources.
COUNTED = ("cpu", "memory")
REPELS = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Node:
    """A schedulable node and its free capacity."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, Any], ...]
    free: Amounts


async def run(site: Site) -> CheckResult:
    """Simulate the scheduling of the release's pods on the current nodes."""
    nodes, running = await site.objects("v1", "Node"), await site.objects("v1", "Pod")
    others = [
        pod for pod in running if not planned_pods.is_ours(pod, site.namespace, site.manifests)
    ]
    return judge(planned_pods.planned_pods(site.manifests), usable(nodes, others))


def usable(nodes: Iterable[Manifest], running: Iterable[Manifest]) -> list[Node]:
    """The schedulable nodes with their free capacity."""
    used: dict[str, list[Amounts]] = {}
    for pod in running:
        on = pod["spec"].get("nodeName")
        if on and not has_ended(pod):
            used.setdefault(on, []).append({**quantities.of_pod(pod["spec"]), "pods": 1.0})
    return [
        _node(node, used.get(node["metadata"]["name"], []))
        for node in nodes
        if _is_schedulable(node)
    ]


def _node(node: Manifest, used: list[Amounts]) -> Node:
    has = quantities.amounts((node.get("status") or {}).get("allocatable"))
    used_total = quantities.total(*used)
    return Node(
        node["metadata"]["name"],
        objects.labels(node),
        tuple(taint for taint in node["spec"].get("taints") or () if taint.get("effect") in REPELS),
        {name: amount - used_total.get(name, 0.0) for name, amount in has.items()},
    )


def _is_schedulable(node: Manifest) -> bool:
    return has_condition(node, "Ready") and not node["spec"].get("unschedulable")


def judge(planned: list[PodGroup], nodes: list[Node]) -> CheckResult:
    """Place the largest pods first, each on the node with the most free CPU."""
    free = {node.name: dict(node.free) for node in nodes}
    unplaced: dict[str, tuple[int, PodGroup]] = {}
    for group in sorted(planned, key=_size, reverse=True):
        for _ in range(group.count):
            if not _place(group, nodes, free):
                unplaced[group.name] = (unplaced.get(group.name, (0, group))[0] + 1, group)
    requested = quantities.total(*({**g.requests} for g in planned for _ in range(g.count)))
    total_free = quantities.total(*(node.free for node in nodes))
    count = sum(group.count for group in planned)
    message = (
        f"{counted(count, 'pod')} request {quantities.format_amounts(requested)}; "
        f"{quantities.format_amounts(total_free)} are free on {counted(len(nodes), 'node')}"
    )
    return CheckResult(message, tuple(_finding(*arguments) for arguments in unplaced.values()))


def _size(group: PodGroup) -> float:
    # One CPU counts as much as 4 GiB, the usual ratio of machines.
    return group.requests.get("cpu", 0.0) + group.requests.get("memory", 0.0) / (4 * 1024**3)


def _place(group: PodGroup, nodes: list[Node], free: dict[str, Amounts]) -> bool:
    """Place one pod; return whether a node fits."""
    fitting = [node for node in nodes if fits(group, node, free[node.name])]
    if not fitting:
        return False
    chosen = max(fitting, key=lambda node: free[node.name].get("cpu", 0.0))
    for name, amount in {**group.requests, "pods": 1.0}.items():
        free[chosen.name][name] = free[chosen.name].get(name, 0.0) - amount
    return True


def fits(group: PodGroup, node: Node, free: Mapping[str, float]) -> bool:
    """Whether a pod fits on a node with this free capacity."""
    if any(node.labels.get(key) != value for key, value in group.selector.items()):
        return False
    if any(not _tolerates(group.tolerations, taint) for taint in node.taints):
        return False
    requested = {name: group.requests.get(name, 0.0) for name in COUNTED}
    return all(free.get(name, 0.0) >= amount for name, amount in {**requested, "pods": 1.0}.items())


def _tolerates(tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, Any]) -> bool:
    for toleration in tolerations:
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        key, operator = toleration.get("key"), toleration.get("operator", "Equal")
        if operator == "Exists" and key in (None, "", taint["key"]):
            return True
        if key == taint["key"] and toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def _finding(count: int, group: PodGroup) -> Finding:
    return Finding(
        "capacity",
        group.name,
        f"{count} of {group.count} pods do not fit: no suitable node has "
        f"{quantities.format_amounts(group.requests)} free.",
        "Add a node, remove other pods, or lower the requests and replicas in the values.",
        "kubectl describe nodes",
    )


CHECK = Check(
    "capacity",
    "Node capacity",
    "the pods of the values (requests, replicas, node selectors, tolerations) fit on the nodes "
    "beside other pods, not counting this release",
    run,
)
