"""There is room on the nodes for what the values request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.nodes import planned_pods
from vrooli.checks.nodes.planned_pods import PodGroup
from vrooli.findings import Finding
from vrooli.kube import Manifest, objects, quantities
from vrooli.kube.quantities import Amounts
from vrooli.kube.status import has_condition

# What is counted; extended resources are the GPUs' check.
COUNTED = ("cpu", "memory")
ENDED = ("Succeeded", "Failed")
REPELS = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Node:
    """One node that takes pods, and what is left on it."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, Any], ...]
    free: Amounts


async def run(site: Site) -> CheckResult:
    """Place the release's pods on the nodes as they are now."""
    nodes, running = await site.objects("v1", "Node"), await site.objects("v1", "Pod")
    others = [
        pod for pod in running if not planned_pods.is_ours(pod, site.namespace, site.manifests)
    ]
    return judge(planned_pods.planned_pods(site.manifests), usable(nodes, others))


def usable(nodes: Iterable[Manifest], running: Iterable[Manifest]) -> list[Node]:
    """The nodes that take pods, with what the pods on them leave."""
    used: dict[str, list[Amounts]] = {}
    for pod in running:
        on, phase = pod["spec"].get("nodeName"), (pod.get("status") or {}).get("phase")
        if on and phase not in ENDED:
            used.setdefault(on, []).append({**quantities.of_pod(pod["spec"]), "pods": 1.0})
    return [_node(node, used.get(node["metadata"]["name"], [])) for node in nodes if _takes(node)]


def _node(node: Manifest, used: list[Amounts]) -> Node:
    has = quantities.amounts((node.get("status") or {}).get("allocatable"))
    used_total = quantities.total(*used)
    return Node(
        node["metadata"]["name"],
        objects.labels(node),
        tuple(taint for taint in node["spec"].get("taints") or () if taint.get("effect") in REPELS),
        {name: amount - used_total.get(name, 0.0) for name, amount in has.items()},
    )


def _takes(node: Manifest) -> bool:
    return has_condition(node, "Ready") and not node["spec"].get("unschedulable")


def judge(planned: list[PodGroup], nodes: list[Node]) -> CheckResult:
    """Place the greatest pods first, each where most is left, and say which find no place."""
    free = {node.name: dict(node.free) for node in nodes}
    homeless: dict[str, tuple[int, PodGroup]] = {}
    for group in sorted(planned, key=_size, reverse=True):
        for _ in range(group.count):
            if not _place(group, nodes, free):
                homeless[group.name] = (homeless.get(group.name, (0, group))[0] + 1, group)
    all_of_it = quantities.total(*({**g.requests} for g in planned for _ in range(g.count)))
    total_free = quantities.total(*(node.free for node in nodes))
    count = sum(group.count for group in planned)
    message = (
        f"{count} pods want {quantities.format_amounts(all_of_it)}; "
        f"{len(nodes)} nodes have {quantities.format_amounts(total_free)} free"
    )
    return CheckResult(message, tuple(_finding(*arguments) for arguments in homeless.values()))


def _size(group: PodGroup) -> float:
    # One processor weighs as much as 4 GiB, about as machines have them.
    return group.requests.get("cpu", 0.0) + group.requests.get("memory", 0.0) / (4 * 1024**3)


def _place(group: PodGroup, nodes: list[Node], free: dict[str, Amounts]) -> bool:
    """Put one pod somewhere; says whether there is a place."""
    fitting = [node for node in nodes if fits(group, node, free[node.name])]
    if not fitting:
        return False
    roomiest = max(fitting, key=lambda node: free[node.name].get("cpu", 0.0))
    for name, amount in {**group.requests, "pods": 1.0}.items():
        free[roomiest.name][name] = free[roomiest.name].get(name, 0.0) - amount
    return True


def fits(group: PodGroup, node: Node, free: Mapping[str, float]) -> bool:
    """Whether a pod may run on a node with so much left."""
    if any(node.labels.get(key) != value for key, value in group.selector.items()):
        return False
    if any(not _bears(group.tolerations, taint) for taint in node.taints):
        return False
    requested = {name: group.requests.get(name, 0.0) for name in COUNTED}
    return all(free.get(name, 0.0) >= amount for name, amount in {**requested, "pods": 1.0}.items())


def _bears(tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, Any]) -> bool:
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
        f"{count} of {group.count} pods find no node with "
        f"{quantities.format_amounts(group.requests)} free that takes them.",
        "Add a node, take other pods away, or lower the values' requests and replicas.",
        "kubectl describe nodes",
    )


CHECK = Check(
    "capacity",
    "Node capacity",
    "the pods of the values (requests, replicas, node selectors, tolerations) fit on the nodes "
    "beside other pods, not counting this release",
    run,
)
