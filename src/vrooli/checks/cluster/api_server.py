"""The cluster answers, is new enough for the chart, and its nodes are ready."""

from __future__ import annotations

import asyncio
import re

import yaml

from vrooli import project
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError, Manifest
from vrooli.kube.status import find_condition

NAME = "cluster"
# How often the API server is asked whether it is ready, and the pause between, seconds.
ATTEMPTS, PAUSE_S = 3, 0.5
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


async def run(site: Site) -> CheckResult:
    """Whether the API server is ready, its version, and the nodes."""
    version = await site.kube.version()
    findings = judge_version(version, least())
    if not await _healthy(site):
        findings.append(
            Finding(
                NAME,
                "API server",
                "it says that it isn't ready.",
                "See which of its parts isn't.",
                "kubectl get --raw /readyz?verbose",
            )
        )
    try:
        nodes = await site.objects("v1", "Node")
    except ApiError as error:
        if not is_forbidden(error):
            raise
        return CheckResult(version, tuple(findings), ("the nodes (permission denied)",))
    return CheckResult(f"{version}, {len(nodes)} nodes", (*findings, *judge_nodes(nodes)))


async def _healthy(site: Site) -> bool:
    """Whether the API server is ready, asked again where it is busy for a moment."""
    for _ in range(ATTEMPTS):
        if await site.kube.healthy():
            return True
        await asyncio.sleep(PAUSE_S)
    return False


def least() -> tuple[int, int, int]:
    """The oldest Kubernetes that the chart takes.

    Raises:
        VrooliError: The chart doesn't say.
    """
    constraint = str(
        yaml.safe_load((project.chart_dir() / "Chart.yaml").read_text())["kubeVersion"]
    )
    version_numbers = numbers(constraint)
    if not constraint.startswith(">=") or version_numbers is None:
        raise VrooliError(
            f"Chart.yaml's kubeVersion {constraint!r} is none that is understood here."
        )
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
    message = f"it is {version}, and the chart needs {'.'.join(map(str, required))} or newer."
    return [Finding(NAME, "Kubernetes", message, "Upgrade the cluster.", "kubectl version")]


def judge_nodes(nodes: list[Manifest]) -> list[Finding]:
    """Which nodes aren't ready, and why."""
    if not nodes:
        return [Finding(NAME, "nodes", "there are none.", "Add one.", "kubectl get nodes")]
    findings = []
    for node in nodes:
        ready = find_condition(node, "Ready")
        if ready is None or not ready.is_true:
            reason = ready.message if ready is not None else ""
            name, why = node["metadata"]["name"], reason or "it reports no reason"
            command = f"kubectl describe node {name}"
            message = f"it is not ready: {why}."
            findings.append(Finding(NAME, f"Node/{name}", message, "See its conditions.", command))
    return findings


CHECK = Check(
    NAME,
    "Cluster",
    "the API server responds and is ready, Kubernetes has the version that the chart requires "
    "(kubeVersion), and the nodes are ready",
    run,
)
