"""The nodes provide the GPUs that the values request."""

from __future__ import annotations

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.nodes import planned_pods
from vrooli.checks.nodes.planned_pods import PodGroup
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.quantities import amounts


async def run(site: Site) -> CheckResult:
    """Check that the nodes provide the requested GPUs."""
    return judge(planned_pods.planned_pods(site.manifests), await site.objects("v1", "Node"))


def judge(planned: list[PodGroup], nodes: list[Manifest]) -> CheckResult:
    """Compare the requests of the pods with the allocatable devices, whether in use or not."""
    offered: dict[str, list[float]] = {}
    for node in nodes:
        for name, amount in amounts((node.get("status") or {}).get("allocatable")).items():
            offered.setdefault(name, []).append(amount)
    findings, message = [], []
    for group in planned:
        for name, each in extended(group).items():
            places = sum(amount // each for amount in offered.get(name, []))
            message.append(f"{group.count} x {each:.0f} {name}")
            if places < group.count:
                findings.append(_finding(group, name, places))
    return CheckResult(", ".join(message), tuple(findings))


def extended(group: PodGroup) -> dict[str, float]:
    """The extended resources among a pod's requests; their names have a domain."""
    return {name: each for name, each in group.requests.items() if "/" in name and each > 0}


def _finding(group: PodGroup, name: str, places: float) -> Finding:
    return Finding(
        "gpu",
        group.name,
        f"{group.count} pods request {name}, but the nodes provide it for {places:.0f}.",
        "Install the device plugin on nodes with such devices, or set "
        "services.nsfwDetector.gpu.enabled: false.",
        "kubectl get nodes -o "
        f"custom-columns=NAME:.metadata.name,HAS:.status.allocatable.{shell.selector(name)}",
    )


def skip_reason(site: Site) -> str:
    """Why no GPU is needed."""
    requested = any(extended(group) for group in planned_pods.planned_pods(site.manifests))
    return "" if requested else "these values request no GPU"


CHECK = Check(
    "gpu",
    "GPUs",
    "nodes provide the devices of services.nsfwDetector.gpu",
    run,
    skip_reason,
)
