"""Nodes have the images that no registry has; what is pulled is another check's."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest

# Images of this registry are made on the machine: no registry has them.
LOCAL = "localhost/"
BUILD = "vrooli build --images"
# The kubelet's: how many images its node tells of (nodeStatusMaxImages, by default), and how many
# names of each (MaxNamesPerImageInNodeStatus).
MAX_IMAGES = 50
MAX_NAMES = 5


async def run(site: Site) -> CheckResult:
    """Whether a node has each local image."""
    images = local(site)
    if site.loaded.issuperset(images):
        return judge(images, [], site.loaded)
    return judge(images, await site.objects("v1", "Node"), site.loaded)


def judge(
    images: list[str], nodes: list[Manifest], loaded: frozenset[str] = frozenset()
) -> CheckResult:
    """Which of the images no node has; of those that a cut list may hide, nothing is known."""
    names = on_nodes(nodes) | loaded
    missing = [image for image in images if image not in names]
    message = f"{len(images) - len(missing)} of {len(images)} local images are on nodes"
    if missing and not loaded and any(map(is_truncated, nodes)):
        return CheckResult(
            message, unavailable=(f"{', '.join(missing)} (nodes don't tell of all they have)",)
        )
    return CheckResult(
        message,
        tuple(
            Finding(
                "images",
                image,
                "no node has it, and no registry does.",
                f"`{BUILD}` puts it into the artifact.",
                BUILD,
            )
            for image in missing
        ),
    )


def on_nodes(nodes: Iterable[Manifest]) -> set[str]:
    """The images that nodes say they have, by every name."""
    images = [image for node in nodes for image in node.get("status", {}).get("images") or []]
    return {name for image in images for name in image.get("names") or []}


def is_truncated(node: Manifest) -> bool:
    """Whether a node may have images, or names of them, that it doesn't tell of."""
    images = node.get("status", {}).get("images") or []
    return len(images) >= MAX_IMAGES or any(
        len(image.get("names") or []) >= MAX_NAMES for image in images
    )


def local(site: Site) -> list[str]:
    """The release's images that no registry has."""
    return [image for image in site.requirements.images if image.startswith(LOCAL)]


def skip_reason(site: Site) -> str:
    """Why no local image is needed."""
    return "" if local(site) else "all images are pulled from registries"


CHECK = Check(
    "images",
    "Local images",
    f"a node has each image with the name {LOCAL}…, which no registry has",
    run,
    skip_reason,
    stops_deploy=True,
)
