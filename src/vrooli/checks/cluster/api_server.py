"""The cluster responds, is new enough for the chart, and its nodes are ready."""

from __future__ import annotations

import asyncio
import re

import yaml

from vrooli import project, shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube import ApiError, Manifest
from vrooli.kube.status import find_condition

NAME = "cluster"
# The number of attempts to read the API server's readiness, and the pause, seconds.
ATTEMPTS, PAUSE_S = 3, 0.5
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


async def run(site: Site) -> CheckResult:
    """Check the API server's readiness and version, and the nodes."""
    version = await site.kube.version()
    findings = judge_version(version, least())
    if not await _healthy(site):
        findings.append(
            Finding(
                NAME,
                "API server",
                "it reports that it is not ready.",
                "Check which of its components is not ready.",
                "kubectl get --raw /readyz?verbose",
            )
        )
    try:
        nodes = await site.objects("v1", "Node")
    except ApiError as error:
        if not is_forbidden(error):
            raise
        return CheckResult(version, tuple(findings), ("the nodes (permission denied)",))
    return CheckResult(
        f"{version}, {counted(len(nodes), 'node')}", (*findings, *judge_nodes(nodes))
    )


async def _healthy(site: Site) -> bool:
    """Whether the API server is ready, with retries in case it is busy."""
    for _ in range(ATTEMPTS):
        if await site.kube.healthy():
            return True
        await asyncio.sleep(PAUSE_S)
    return False


def least() -> tuple[int, int, int]:
    """The oldest Kubernetes version that the chart supports.

    Raises:
        VrooliError: The chart has no such constraint.
    """
    constraint = str(
        yaml.safe_load((project.chart_dir() / "Chart.yaml").read_text())["kubeVersion"]
    )
    version_numbers = numbers(constraint)
    if not constraint.startswith(">=") or version_numbers is None:
        raise VrooliError(f"Chart.yaml's kubeVersion {constraint!r} is not of the form >=VERSION.")
    return version_numbers


def numbers(version: str) -> tuple[int, int, int] | None:
    """The numbers of a version; None if it has none."""
    match = _NUMBERS.search(version)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def judge_version(version: str, required: tuple[int, int, int]) -> list[Finding]:
    """Whether a version is new enough."""
    actual = numbers(version)
    if actual is not None and actual >= required:
        return []
    message = (
        f"its version is {version}; the chart requires {'.'.join(map(str, required))} or later."
    )
    return [Finding(NAME, "Kubernetes", message, "Upgrade the cluster.", "kubectl version")]


def judge_nodes(nodes: list[Manifest]) -> list[Finding]:
    """The nodes that are not ready, with the reasons."""
    if not nodes:
        return [Finding(NAME, "nodes", "the cluster has none.", "Add a node.", "kubectl get nodes")]
    findings = []
    for node in nodes:
        ready = find_condition(node, "Ready")
        if ready is None or not ready.is_true:
            reason = ready.message if ready is not None else ""
            name, why = node["metadata"]["name"], reason or "it reports no reason"
            command = f"kubectl describe node {shell.name(name)}"
            message = f"it is not ready: {why}."
            findings.append(
                Finding(NAME, f"Node/{name}", message, "Check its conditions.", command)
            )
    return findings


CHECK = Check(
    NAME,
    "Cluster",
    "the API server responds and is ready, Kubernetes has the version that the chart requires "
    "(kubeVersion), and the nodes are ready",
    run,
)
