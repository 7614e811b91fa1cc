"""The architectures that an image's index lists, compared with those of the nodes. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.objects import items, text

ARCHITECTURE = "kubernetes.io/arch"
# Entries of an index that are not images have this architecture (attestations of BuildKit).
UNKNOWN = "unknown"


def of_nodes(nodes: Iterable[Manifest]) -> frozenset[str]:
    """The architectures of nodes, such as amd64."""
    architectures = {text(node, "status", "nodeInfo", "architecture") for node in nodes}
    return frozenset(architectures - {""})


def of_index(index: Mapping[str, Any]) -> frozenset[str]:
    """The architectures that an image index lists; empty for the manifest of a single image."""
    architectures = {text(item, "platform", "architecture") for item in items(index, "manifests")}
    return frozenset(architectures - {"", UNKNOWN})


def judge(
    name: str, image: str, available: frozenset[str], nodes: frozenset[str]
) -> tuple[Finding | None, str]:
    """The finding if no node can run an image, or a warning if only some can.

    Args:
        name: The name of the check.
        image: The image.
        available: Its architectures; empty if unknown.
        nodes: Those of the nodes; empty if unknown.
    """
    if not available or not nodes or nodes <= available:
        return None, ""
    built = ", ".join(sorted(available))
    missing = ", ".join(sorted(nodes - available))
    if nodes & available:
        return None, (
            f"{image} is not built for {missing}, which some nodes have: set a nodeSelector on "
            f"{ARCHITECTURE}"
        )
    return Finding(
        name,
        image,
        f"it is built for the architecture {built}, and the nodes have {missing}.",
        f"Build and push the image for {missing}, or set a tag that supports it (services.*.tag).",
        f"kubectl get nodes -L {ARCHITECTURE}",
    ), ""
